import {
  ArchiveWorkspace,
  CreateWorkspace,
  GetWorkspace,
  ListWorkspaces,
  OperationKind,
  RestartWorkspace,
  ResumeWorkspace,
  StopWorkspace,
  UnarchiveWorkspace,
  WorkspaceView,
  newId,
  refusal,
} from '@reprise/contracts';
import { RefusedError } from '@reprise/messaging';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { byItself } from '../commands/by-itself';
import type { Command, OnWorkspace } from '../commands/command';
import { Change, CommandRunner } from '../commands/command-runner';
import { idOfCursor, pageOf } from '../commands/cursor.rules';
import { NOT_VISIBLE, mayTouch, notCreator, notFound } from '../commands/visibility.rules';
import { LifecycleConfig } from '../lifecycle.config';
import type { OperationEntity } from '../operations/operation.entity';
import { operationView } from '../operations/operation.view';
import { OperationsRepository } from '../operations/operations.repository';
import { notRunnable, type Runnable } from '../roles/role-limits.rules';
import { RolesRepository } from '../roles/roles.repository';
import { OneStatement } from '../transactions/one-statement';
import { statusChanged } from './announcements';
import { hasIdled } from './idle.rules';
import { podCommandFor } from './pod-commands';
import { Accepted, WorkspaceCommand, decide, decideCreate } from './workspace.rules';
import { stateOf } from './workspace.state';
import { workspaceView } from './workspace.view';
import { IdleWorkspace, LoadedWorkspace, LostWorkspace, POD_LOST, WorkspacesRepository } from './workspaces.repository';

/** What a lifecycle command is answered with. */
export interface OperationAnswer {
  status: 'restarting' | 'resuming' | 'stopping';
  operation_id: string;
}

/** Who requests the stop of an idle workspace. */
export const IDLE_TIMEOUT = 'reprise:idle-timeout';

const HOUR_MS = 3_600_000;

const DOING = { restart: 'restarting', resume: 'resuming', stop: 'stopping' } as const;

/** The use cases of workspaces: load, decide, save. */
@Injectable()
export class WorkspacesService {
  constructor(
    private readonly runner: CommandRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly operations: OperationsRepository,
    private readonly roles: RolesRepository,
    private readonly config: LifecycleConfig,
  ) {}

  create(command: Command<CreateWorkspace>): Promise<WorkspaceView> {
    const { data, orgId, actor } = command;
    return this.runner.run(command, async (manager, now) => {
      const found = await this.roles.lockForUse(
        manager,
        orgId,
        data.role_id !== undefined ? { id: data.role_id } : { name: data.role_name ?? '' },
      );
      if (!found || (data.role_name !== undefined && found.role.name !== data.role_name))
        throw new RefusedError(notFound('role_not_found'));
      const { role, provider } = found;
      const refused = decideCreate({ archived: role.archived_at !== null, providerArchived: provider.archived_at !== null });
      if (refused) throw new RefusedError(refused);
      this.mustBeRunnable(found);
      const id = newId('workspace');
      const operation = this.operation(command, 'create', { id, generation: 1, force: false }, now);
      const workspace = {
        id,
        org_id: orgId,
        role_id: role.id,
        environment: data.environment ?? null,
        status: 'provisioning' as const,
        generation: 1,
        pod_generation: null,
        pod_role_version: null,
        lost_generation: null,
        lost_at: null,
        created_by_user_id: actor,
        snapshot_ref: null,
        last_snapshot_error: null,
        failure: null,
        operation_id: operation.id,
        running_task_id: null,
        idle_since: null,
        saved_at: null,
        checkpoint_asked_at: null,
        background_work: false,
        created_at: now,
        updated_at: now,
        archived_at: null,
      };
      const podCommand = podCommandFor(operation, { ...workspace, role, provider });
      return {
        reply: { ...workspaceView({ ...workspace, role_version: role.version, operation: null }), operation: operationView(operation) },
        writes: new OneStatement()
          .add('workspace', this.workspaces.insert(workspace), 1)
          .add('operation', this.operations.insert(operation, podCommand), 1),
        messages: [
          podCommand,
          ...statusChanged(null, 'provisioning', 1, { orgId, workspaceId: id, actor, correlationId: command.correlationId }),
        ],
        audit: { subject: id, detail: { operation_id: operation.id, role_id: role.id } },
      };
    });
  }

  async restart(command: Command<RestartWorkspace>): Promise<OperationAnswer> {
    return this.operate(command, 'restart', { kind: 'restart', force: command.data.force ?? false });
  }

  async stop(command: Command<StopWorkspace>): Promise<OperationAnswer> {
    return this.operate(command, 'stop', { kind: 'stop' });
  }

  /** Those that nobody used for longer than their roles allow. */
  idleTooLong(now: Date, limit = 100): Promise<IdleWorkspace[]> {
    return this.workspaces.idleTooLong(now, limit);
  }

  /**
   * Stops a workspace that nobody used for as long as its role allows: a stop like any other, requested by Reprise itself. Any number of
   * replicas may ask for the same one: it has one message id.
   * @throws RefusedError where it is not idle since then any more
   */
  async stopIdle({ id, org_id: orgId, idle_since: since }: IdleWorkspace): Promise<OperationAnswer> {
    const key = `idle-timeout:${id}:${since.getTime()}`;
    const command = byItself(StopWorkspace.type, IDLE_TIMEOUT, key, { id, orgId }, { postureChecked: true });
    return this.operate(command, 'stop', { kind: 'stop' }, (workspace, now) => hasIdled(workspace, workspace.role, now));
  }

  /** Those that lost their pods and are to be resumed for it. */
  lostToResume(now: Date, limit = 100): Promise<LostWorkspace[]> {
    return this.workspaces.lostToResume(new Date(now.getTime() - HOUR_MS), this.config.podLostResumesPerHour, limit);
  }

  /**
   * Resumes a workspace that lost its pod, as its role asks: a resume like any other, requested by Reprise itself, and refused like any other.
   * One that is refused stays failed until someone resumes it.
   * @throws RetryLater while billing does not say whether the tenant may
   */
  async resumeLost(lost: LostWorkspace): Promise<OperationAnswer | null> {
    const { id, org_id: orgId, generation } = lost;
    const command = byItself(ResumeWorkspace.type, POD_LOST, `pod-lost:${id}:${generation}`, { id, orgId }, { postureChecked: false });
    try {
      return await this.operate(command, 'resume', { kind: 'resume' }, (workspace) => workspace.lost_at !== null);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      await this.workspaces.leaveLost(lost);
      return null;
    }
  }

  async resume(command: Command<ResumeWorkspace>): Promise<OperationAnswer> {
    return this.operate(command, 'resume', { kind: 'resume', fromSnapshot: command.data.from_snapshot ?? false });
  }

  async archive(command: Command<ArchiveWorkspace>): Promise<{ status: 'archived' }> {
    return this.mark(command, 'archive', 'archived');
  }

  async unarchive(command: Command<UnarchiveWorkspace>): Promise<{ status: 'unarchived' }> {
    return this.mark(command, 'unarchive', 'unarchived');
  }

  async get(orgId: string, { workspace_id: id, caller }: GetWorkspace): Promise<WorkspaceView> {
    const row = await this.workspaces.find(orgId, id);
    if (!row) throw new RefusedError(notFound('workspace_not_found'));
    if (!mayTouch(caller, row.created_by_user_id)) throw new RefusedError(NOT_VISIBLE);
    return workspaceView(row);
  }

  async list(orgId: string, query: ListWorkspaces): Promise<{ workspaces: WorkspaceView[]; cursor?: string }> {
    const from = idOfCursor(query.cursor, 'workspace');
    if ('refused' in from) throw new RefusedError(from.refused);
    const role = query.role_name === undefined ? null : await this.roles.findByName(orgId, query.role_name);
    if (query.role_name !== undefined && !role) throw new RefusedError(notFound('role_not_found'));
    const rows = await this.workspaces.page({
      orgId,
      createdBy: query.caller.own_only ? query.caller.sub : null,
      includeArchived: query.include_archived,
      roleId: role?.id ?? null,
      status: query.status ?? null,
      before: from.before,
      limit: query.limit + 1,
    });
    const { page, ...rest } = pageOf(rows, query.limit, workspaceView);
    return { workspaces: page, ...rest };
  }

  /** A command that begins an operation. @param wanted whether it still is, asked of what was loaded */
  private operate(
    command: Command<OnWorkspace>,
    kind: keyof typeof DOING,
    asked: WorkspaceCommand,
    wanted: (workspace: LoadedWorkspace, now: Date) => boolean = () => true,
  ): Promise<OperationAnswer> {
    return this.runner.runGuarded(command, async (manager, now, loading): Promise<Change<OperationAnswer>> => {
      const { workspace, next } = await this.decideOn(manager, command, asked, loading);
      if (!wanted(workspace, now)) throw new RefusedError(refusal('invalid_state', { status: workspace.status }));
      if (asked.kind !== 'stop') this.mustBeRunnable(workspace);
      const generation = workspace.generation + 1;
      const force = asked.kind === 'restart' && asked.force;
      const operation = this.operation(command, kind, { id: workspace.id, generation, force }, now);
      const about = { orgId: command.orgId, workspaceId: workspace.id, actor: command.actor, correlationId: command.correlationId };
      const fromSnapshot = asked.kind === 'resume' && asked.fromSnapshot === true;
      const podCommand = podCommandFor(operation, workspace, { fromSnapshot });
      const writes = new OneStatement()
        .add('workspace', this.workspaces.update(workspace, { status: next.status, generation, operation_id: operation.id }, now), 1)
        .add('operation', this.operations.insert(operation, podCommand), 1);
      if (kind === 'resume') writes.add('usable', this.roles.usable(workspace.role_id), 1);
      return {
        reply: { status: DOING[kind], operation_id: operation.id },
        writes,
        messages: [podCommand, ...statusChanged(workspace.status, next.status, generation, about)],
        audit: {
          subject: workspace.id,
          detail: {
            operation_id: operation.id,
            ...(kind === 'restart' ? { force } : {}),
            ...(fromSnapshot ? { from_snapshot: true } : {}),
          },
        },
      };
    });
  }

  /** After every 409, and before anything is saved or torn down for a pod that could not be made. */
  private mustBeRunnable(of: Runnable): void {
    const refused = notRunnable(of, this.config);
    if (refused) throw new RefusedError(refused);
  }

  /** A command that only marks the workspace. */
  private mark<S extends 'archived' | 'unarchived'>(
    command: Command<OnWorkspace>,
    kind: 'archive' | 'unarchive',
    status: S,
  ): Promise<{ status: S }> {
    return this.runner.runGuarded(command, async (manager, now, loading): Promise<Change<{ status: S }>> => {
      const { workspace, next } = await this.decideOn(manager, command, { kind }, loading);
      return {
        reply: { status },
        writes: new OneStatement().add(
          'workspace',
          this.workspaces.update(workspace, { archived_at: next.archived ? now : null, lost_at: null }, now),
          1,
        ),
        messages: [],
        audit: { subject: workspace.id, detail: {} },
      };
    });
  }

  /** Loads the workspace, and decides: 404, then 403 by creator, then 409. */
  private async decideOn(
    manager: EntityManager,
    command: Command<OnWorkspace>,
    asked: WorkspaceCommand,
    loading: { locked: boolean },
  ): Promise<{ workspace: LoadedWorkspace; next: Accepted }> {
    const workspace = await this.workspaces.load(manager, command.data.workspace_id, command.orgId, loading);
    if (!workspace) throw new RefusedError(notFound('workspace_not_found'));
    if (!mayTouch(command.data.caller, workspace.created_by_user_id)) {
      throw new RefusedError(notCreator(asked.kind === 'resume' ? 'tasks:write' : 'workspace:write'));
    }
    // Held until it is written: what brings a pod up must not slip in beneath an archive.
    const held =
      loading.locked && asked.kind === 'resume' && (await this.roles.lockForUse(manager, workspace.org_id, { id: workspace.role_id }));
    if (held) Object.assign(workspace, held);
    const decision = decide(stateOf(workspace), asked);
    if (!decision.accepted) throw new RefusedError(decision.refusal);
    return { workspace, next: decision };
  }

  private operation(
    command: Command<unknown>,
    kind: OperationKind,
    { id, generation, force }: { id: string; generation: number; force: boolean },
    now: Date,
  ): OperationEntity {
    return {
      id: newId('operation'),
      org_id: command.orgId,
      workspace_id: id,
      kind,
      status: 'pending',
      generation,
      force,
      requested_by: command.actor,
      correlation_id: command.correlationId,
      phases: [],
      state_from: null,
      error: null,
      created_at: now,
      deadline_at: new Date(now.getTime() + this.config.operationDeadlineSeconds * 1000),
      finished_at: null,
      pod_command: null,
      resend_at: new Date(now.getTime() + this.config.operationResendSeconds * 1000),
      resends: 0,
    };
  }
}
