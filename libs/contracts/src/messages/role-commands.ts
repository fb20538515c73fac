import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { EXAMPLE, IsTypeId, LifecycleCommand } from './message';
import { POD_LOST_POLICIES, type PodLostPolicy } from '../vocabulary';
import { RoleRuntime } from './role-runtime';
import { FitsVariable, IsStringMap, Length, MayBeLeftOut, SLUG } from './rules';
import { IsEncryptedMap } from './secret-env';

/** Makes a role. */
export class CreateRole extends LifecycleCommand {
  static readonly type = 'reprise.role.create.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = {
    name: 'coder',
    display_name: 'Coder',
    provider_id: EXAMPLE.provider,
    command: ['sh', '-c', 'cat >> notes.txt && tail -n 1 notes.txt'],
    env: { LANG: 'C.UTF-8' },
    task_timeout_seconds: 600,
    idle_timeout_seconds: 3600,
    runtime: { image: 'registry.example/agents/coder:1', cpus: 1, memory_mb: 1024 },
    on_pod_lost: 'resume',
    checkpoint_interval_seconds: 300,
    caller: EXAMPLE.caller,
  };

  @Matches(SLUG, {
    message: 'name must be a slug: 1 to 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit',
  })
  name!: string;

  @IsOptional()
  @IsString()
  @Length(1, 200)
  display_name?: string;

  @IsString()
  @Length(1, 64)
  provider_id!: string;

  /** What a task runs: the program and its arguments; the task's text comes on standard input. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(64)
  @FitsVariable()
  @IsString({ each: true })
  @Length(1, 8192, { each: true })
  command!: string[];

  @IsOptional()
  @IsObject()
  @FitsVariable()
  @IsStringMap()
  env?: Record<string, string>;

  /** Encrypted by the gateway for the role of this `id`; the key is the gateway's and the provisioner's. */
  @MayBeLeftOut()
  @IsEncryptedMap({ removable: false })
  secret_env?: Record<string, string>;

  /** The id that the role gets; a new one where it is left out. */
  @MayBeLeftOut()
  @IsTypeId('role')
  id?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(86_400)
  task_timeout_seconds?: number;

  /** After so long without a task an idle workspace stops; 0 is never. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(2_592_000)
  idle_timeout_seconds?: number;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RoleRuntime)
  runtime?: RoleRuntime;

  /** How often a workspace that is idle is saved while its pod stays up, if anything may have changed since; 0 is never. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(2_592_000)
  checkpoint_interval_seconds?: number;

  /** Whether a workspace whose pod is lost stays failed or is resumed from its last good snapshot. */
  @IsOptional()
  @IsIn(POD_LOST_POLICIES)
  on_pod_lost?: PodLostPolicy;
}

/** Changes a role: only the fields that are given. Raises its version. */
export class ChangeRole extends LifecycleCommand {
  static readonly type = 'reprise.role.change.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { role_id: EXAMPLE.role, command: ['sh', '-c', 'cat'], caller: EXAMPLE.caller };

  @IsString()
  @Length(1, 64)
  role_id!: string;

  @IsOptional()
  @Matches(SLUG, {
    message: 'name must be a slug: 1 to 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit',
  })
  name?: string;

  @IsOptional()
  @IsString()
  @Length(1, 200)
  display_name?: string;

  @IsOptional()
  @IsString()
  @Length(1, 64)
  provider_id?: string;

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(64)
  @FitsVariable()
  @IsString({ each: true })
  @Length(1, 8192, { each: true })
  command?: string[];

  @IsOptional()
  @IsObject()
  @FitsVariable()
  @IsStringMap()
  env?: Record<string, string>;

  /** Encrypted by the gateway for this role: sets these, removes those that are null, and leaves all others as they are. */
  @MayBeLeftOut()
  @IsEncryptedMap({ removable: true })
  secret_env?: Record<string, string | null>;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(86_400)
  task_timeout_seconds?: number;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(2_592_000)
  idle_timeout_seconds?: number;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RoleRuntime)
  runtime?: RoleRuntime;

  /** How often a workspace that is idle is saved while its pod stays up, if anything may have changed since; 0 is never. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(2_592_000)
  checkpoint_interval_seconds?: number;

  /** Whether a workspace whose pod is lost stays failed or is resumed from its last good snapshot. */
  @IsOptional()
  @IsIn(POD_LOST_POLICIES)
  on_pod_lost?: PodLostPolicy;
}

abstract class RoleCommand extends LifecycleCommand {
  @IsString()
  @Length(1, 64)
  role_id!: string;
}

/** Bars new workspaces and resumes of a role. Refused while a workspace of it runs. */
export class ArchiveRole extends RoleCommand {
  static readonly type = 'reprise.role.archive.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { role_id: EXAMPLE.role, caller: EXAMPLE.caller };
}

/** Takes an archived role back. Refused while its provider is archived. */
export class UnarchiveRole extends RoleCommand {
  static readonly type = 'reprise.role.unarchive.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { role_id: EXAMPLE.role, caller: EXAMPLE.caller };
}

export const ROLE_COMMANDS = [CreateRole, ChangeRole, ArchiveRole, UnarchiveRole] as const;
