import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString, Matches, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { WORKSPACE_STATUSES, WorkspaceStatus } from '../vocabulary';
import { Caller, EXAMPLE, IsTypeId, LifecycleQuery } from './message';
import { Length } from './rules';

/** Ids in queries are plain strings: one of the wrong form is the same 404 as one that does not exist. */
const LONGEST_ID = 128;

/** Answers `WorkspaceView`. */
export class GetWorkspace extends LifecycleQuery {
  static readonly type = 'reprise.workspace.get.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, caller: EXAMPLE.caller };

  @IsString()
  @MaxLength(LONGEST_ID)
  workspace_id!: string;
}

/** A page of a list: at most so many, and fewer where they are large, with a cursor to the next. */
abstract class PageQuery extends LifecycleQuery {
  @IsInt()
  @Min(1)
  @Max(200)
  limit!: number;

  @IsOptional()
  @IsString()
  @Length(1, 512)
  cursor?: string;
}

/** Answers `{ workspaces: WorkspaceView[], cursor? }`, newest first. */
export class ListWorkspaces extends PageQuery {
  static readonly type = 'reprise.workspace.list.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { include_archived: false, role_name: 'coder', limit: 50, caller: EXAMPLE.caller };

  @IsBoolean()
  include_archived!: boolean;

  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_ID)
  role_name?: string;

  @IsOptional()
  @IsIn(WORKSPACE_STATUSES)
  status?: WorkspaceStatus;
}

/** Answers `OperationView`. */
export class GetOperation extends LifecycleQuery {
  static readonly type = 'reprise.operation.get.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { operation_id: EXAMPLE.operation, caller: EXAMPLE.caller };

  @IsString()
  @MaxLength(LONGEST_ID)
  operation_id!: string;
}

/** Answers `{ tasks: TaskSummary[], cursor? }`, newest first: without outputs, and with long texts cut. */
export class ListTasks extends PageQuery {
  static readonly type = 'reprise.task.list.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, limit: 50, caller: EXAMPLE.caller };

  @IsString()
  @MaxLength(LONGEST_ID)
  workspace_id!: string;
}

/** Answers `TaskView`. */
export class GetTask extends LifecycleQuery {
  static readonly type = 'reprise.task.get.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, task_id: EXAMPLE.task, caller: EXAMPLE.caller };

  @IsString()
  @MaxLength(LONGEST_ID)
  workspace_id!: string;

  @IsString()
  @MaxLength(LONGEST_ID)
  task_id!: string;
}

/** Answers `RoleView`. */
export class GetRole extends LifecycleQuery {
  static readonly type = 'reprise.role.get.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { role_id: EXAMPLE.role, caller: EXAMPLE.caller };

  @IsString()
  @MaxLength(LONGEST_ID)
  role_id!: string;

  /** Whether values are shown as they are: the caller may change them. Left out, they are masked. */
  @IsOptional()
  @IsBoolean()
  with_values?: boolean;
}

/** Answers `{ roles: RoleSummary[], cursor? }`: without `env` and `secret_env`. */
export class ListRoles extends PageQuery {
  static readonly type = 'reprise.role.list.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { include_archived: false, limit: 50, caller: EXAMPLE.caller };

  @IsBoolean()
  include_archived!: boolean;
}

/** Answers `ProviderView`. */
export class GetProvider extends LifecycleQuery {
  static readonly type = 'reprise.provider.get.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { provider_id: EXAMPLE.provider, caller: EXAMPLE.caller };

  @IsString()
  @MaxLength(LONGEST_ID)
  provider_id!: string;

  /** Whether values are shown as they are: the caller may change them. Left out, they are masked. */
  @IsOptional()
  @IsBoolean()
  with_values?: boolean;
}

/** Answers `{ providers: ProviderSummary[], cursor? }`: without `config`. */
export class ListProviders extends PageQuery {
  static readonly type = 'reprise.provider.list.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { include_archived: false, limit: 50, caller: EXAMPLE.caller };

  @IsBoolean()
  include_archived!: boolean;
}

/**
 * What the caller's use of an idempotency key was first answered with: `{ found: false }`, or `{ found: true, reply }` with the reply of the command;
 * `idempotency_key_reused` where the hash differs. Asked by the gateway before it refuses for billing, since the first answer stands.
 */
export class FindIdempotentReply {
  static readonly type = 'reprise.idempotency.find.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { key: 'order-4711', request_hash: 'a'.repeat(64), caller: EXAMPLE.caller };

  @IsObject()
  @ValidateNested()
  @Type(() => Caller)
  caller!: Caller;

  @Matches(/^[\x20-\x7e]{1,255}$/)
  key!: string;

  @Matches(/^[0-9a-f]{64}$/)
  request_hash!: string;

  /** The workspace that the command is about: nothing is found where the caller's scope does not reach it. */
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_ID)
  workspace_id?: string;
}

/** Operations in flight across all tenants, oldest first, for operators. Answers `{ operations: OperationView[] }`. */
export class ListOperationsInFlight {
  static readonly type = 'reprise.operation.in-flight.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { limit: 100 };

  @IsInt()
  @Min(1)
  @Max(1000)
  limit!: number;
}

/** How lifecycle stands, across all tenants, for operators. Answers `LifecycleOverview`. */
export class GetLifecycleOverview {
  static readonly type = 'reprise.lifecycle.overview.v1';
  static readonly kind = 'query';
  static readonly consumer = 'lifecycle';
  static readonly example = { limit: 100 };

  /** Of each list. */
  @IsInt()
  @Min(1)
  @Max(1000)
  limit!: number;
}

/** How the provisioner stands, across all tenants, for operators. Answers `ProvisionerOverview`. */
export class GetProvisionerOverview {
  static readonly type = 'reprise.provisioner.overview.v1';
  static readonly kind = 'query';
  static readonly consumer = 'provisioner';
  static readonly example = { limit: 100 };

  /** Of each list. */
  @IsInt()
  @Min(1)
  @Max(1000)
  limit!: number;
}

/**
 * Objects of the snapshot store that no snapshot on record has, the newest first, for operators. Answers
 * `UnrecordedSnapshots`. The whole store is listed, or the part of one workspace.
 */
export class ListUnrecordedSnapshots {
  static readonly type = 'reprise.snapshot.unrecorded.v1';
  static readonly kind = 'query';
  static readonly consumer = 'provisioner';
  static readonly example = { workspace_id: EXAMPLE.workspace, limit: 100 };

  /** Of this workspace alone. */
  @IsOptional()
  @IsTypeId('workspace')
  workspace_id?: string;

  @IsInt()
  @Min(1)
  @Max(1000)
  limit!: number;
}

/** How billing stands, for operators. Answers `BillingOverview`. */
export class GetBillingOverview {
  static readonly type = 'reprise.billing.overview.v1';
  static readonly kind = 'query';
  static readonly consumer = 'billing';
  static readonly example = { limit: 100 };

  /** Of each list. */
  @IsInt()
  @Min(1)
  @Max(1000)
  limit!: number;
}

/** How the dead letters stand, across all tenants, for operators. Answers `DeadLettersOverview`. */
export class GetDeadLettersOverview {
  static readonly type = 'reprise.deadletter.overview.v1';
  static readonly kind = 'query';
  static readonly consumer = 'deadletters';
  static readonly example = { limit: 10 };

  /** Of each list. */
  @IsInt()
  @Min(1)
  @Max(1000)
  limit!: number;
}

export const QUERIES = [
  GetWorkspace,
  ListWorkspaces,
  GetOperation,
  ListTasks,
  GetTask,
  GetRole,
  ListRoles,
  GetProvider,
  ListProviders,
  FindIdempotentReply,
  ListOperationsInFlight,
  GetLifecycleOverview,
  GetProvisionerOverview,
  ListUnrecordedSnapshots,
  GetBillingOverview,
  GetDeadLettersOverview,
] as const;
