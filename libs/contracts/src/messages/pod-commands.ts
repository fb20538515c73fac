import { Type } from 'class-transformer';
import { IsArray, IsBoolean, IsIn, IsObject, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';
import { PROVIDER_KINDS, ProviderKind } from '../vocabulary';
import { EXAMPLE, IsTypeId } from './message';
import { RoleRuntime } from './role-runtime';
import { IsCounter, IsTime, Length } from './rules';
import { IsEncryptedMap } from './secret-env';
import { LONGEST_DESCRIPTION } from './task-commands';

/** What a pod runs as: the role and its provider as they are when the operation is accepted. */
export class PodSpec {
  @IsTypeId('role')
  role_id!: string;

  @IsCounter()
  role_version!: number;

  @IsString()
  role_name!: string;

  @IsArray()
  @IsString({ each: true })
  command!: string[];

  @IsObject()
  env!: Record<string, string>;

  /** Encrypted; the provisioner alone decrypts it, when it makes the pod. A variable that `env` has too is this one. */
  @IsOptional()
  @IsEncryptedMap({ removable: false })
  secret_env?: Record<string, string>;

  @IsOptional()
  @IsString()
  environment!: string | null;

  @IsIn(PROVIDER_KINDS)
  provider_kind!: ProviderKind;

  @IsObject()
  provider_config!: Record<string, unknown>;

  @IsCounter()
  task_timeout_seconds!: number;

  /** A lifecycle that does not know of it yet leaves it out. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RoleRuntime)
  runtime?: RoleRuntime;
}

const EXAMPLE_SPEC = {
  role_id: EXAMPLE.role,
  role_version: 2,
  role_name: 'coder',
  command: ['sh', '-c', 'cat'],
  env: { LANG: 'C.UTF-8' },
  environment: 'production',
  provider_kind: 'anthropic',
  provider_config: { model: 'claude' },
  task_timeout_seconds: 600,
  runtime: { image: 'registry.example/agents/coder:1', cpus: 1, memory_mb: 1024 },
};

/** A command that becomes a job. `generation` fences: a command that is not above the workspace's highest is not applied. */
abstract class JobCommand {
  @IsTypeId('operation')
  operation_id!: string;

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsCounter()
  generation!: number;

  /** After this the operation has failed; no step is begun. */
  @IsTime()
  deadline_at!: string;
}

/** Makes the pod of a new or resumed workspace; with a snapshot, its files are restored first. */
export class CreatePod extends JobCommand {
  static readonly type = 'reprise.pod.create.v1';
  static readonly kind = 'command';
  static readonly consumer = 'provisioner';
  static readonly example = {
    operation_id: EXAMPLE.operation,
    workspace_id: EXAMPLE.workspace,
    generation: 1,
    deadline_at: EXAMPLE.time,
    spec: EXAMPLE_SPEC,
    snapshot_id: null,
  };

  @IsObject()
  @ValidateNested()
  @Type(() => PodSpec)
  spec!: PodSpec;

  @IsOptional()
  @IsTypeId('snapshot')
  snapshot_id!: string | null;

  /** Go on from the last good snapshot also where what a lost pod left could still be saved: that is discarded. */
  @IsOptional()
  @IsBoolean()
  from_snapshot?: boolean;
}

/** Saves the live pod, tears it down and makes a fresh one from what was saved. */
export class ReplacePod extends JobCommand {
  static readonly type = 'reprise.pod.replace.v1';
  static readonly kind = 'command';
  static readonly consumer = 'provisioner';
  static readonly example = {
    operation_id: EXAMPLE.operation,
    workspace_id: EXAMPLE.workspace,
    generation: 2,
    pod_generation: 1,
    force: true,
    deadline_at: EXAMPLE.time,
    spec: EXAMPLE_SPEC,
  };

  /** The generation of the pod that is live. */
  @IsCounter()
  pod_generation!: number;

  @IsBoolean()
  force!: boolean;

  @IsObject()
  @ValidateNested()
  @Type(() => PodSpec)
  spec!: PodSpec;
}

/** Saves the live pod and tears it down; or, where an operator asks for it, tears down all pods of the workspace without saving anything. */
export class RemovePod extends JobCommand {
  static readonly type = 'reprise.pod.remove.v1';
  static readonly kind = 'command';
  static readonly consumer = 'provisioner';
  static readonly example = {
    operation_id: EXAMPLE.operation,
    workspace_id: EXAMPLE.workspace,
    generation: 3,
    pod_generation: 2,
    deadline_at: EXAMPLE.time,
  };

  @IsCounter()
  pod_generation!: number;

  /** What the pods hold since the last snapshot is discarded. */
  @IsOptional()
  @IsBoolean()
  without_snapshot?: boolean;
}

/** A command to one live pod; another pod of the workspace does not answer to it. */
abstract class LivePodCommand {
  @IsTypeId('workspace')
  workspace_id!: string;

  @IsCounter()
  pod_generation!: number;

  @IsTypeId('task')
  task_id!: string;
}

/** Hands a task to a pod. */
export class RunTask extends LivePodCommand {
  static readonly type = 'reprise.pod.run-task.v1';
  static readonly kind = 'command';
  static readonly consumer = 'provisioner';
  static readonly example = {
    workspace_id: EXAMPLE.workspace,
    pod_generation: 2,
    task_id: EXAMPLE.task,
    description: 'Summarise the open tickets',
    timeout_seconds: 600,
  };

  @IsString()
  @Length(1, LONGEST_DESCRIPTION)
  description!: string;

  @IsCounter()
  timeout_seconds!: number;
}

/** Ends a task in a pod. */
export class InterruptTask extends LivePodCommand {
  static readonly type = 'reprise.pod.interrupt-task.v1';
  static readonly kind = 'command';
  static readonly consumer = 'provisioner';
  static readonly example = { workspace_id: EXAMPLE.workspace, pod_generation: 2, task_id: EXAMPLE.task, reason: 'cancelled_by_user' };

  @IsString()
  @MaxLength(200)
  reason!: string;
}

/**
 * Takes a snapshot of a live pod that is at rest between tasks. The pod stays up, and what it runs in the background is frozen meanwhile. Not a promise: a
 * pod that is busy, or gets a task meanwhile, has no checkpoint, and is asked for one again.
 */
export class CheckpointPod {
  static readonly type = 'reprise.pod.checkpoint.v1';
  static readonly kind = 'command';
  static readonly consumer = 'provisioner';
  static readonly example = { workspace_id: EXAMPLE.workspace, pod_generation: 2 };

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsCounter()
  pod_generation!: number;
}

export const POD_COMMANDS = [CreatePod, ReplacePod, RemovePod, CheckpointPod, RunTask, InterruptTask] as const;
