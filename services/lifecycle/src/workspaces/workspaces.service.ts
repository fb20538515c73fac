import {
  ArchiveWorkspace,
  CreateWorkspace,
  GetWorkspace,
  ListWorkspaces,
  RestartWorkspace,
  ResumeWorkspace,
  StopWithoutSnapshot,
  StopWorkspace,
  UnarchiveWorkspace,
  WorkspaceView,
  newId,
} from '@reprise/contracts';
import { RefusedError } from '@reprise/messaging';
import { Injectable } from '@nestjs/common';
import { byItself } from '../commands/by-itself';
import type { Command, OnWorkspace } from '../commands/command';
import { Change, CommandRunner } from '../commands/command-runner';
import { idOfCursor, pageOf } from '../commands/cursor.rules';
import { NOT_VISIBLE, mayTouch, notFound } from '../commands/visibility.rules';
import { LifecycleConfig } from '../lifecycle.config';
import { operationView } from '../operations/operation.view';
import { OperationsRepository } from '../operations/operations.repository';
import { RolesRepository } from '../roles/roles.repository';
import { OneStatement } from '../transactions/one-statement';
import { statusChanged } from './announcements';
import { hasIdled } from './idle.rules';
import { podCommandFor } from './pod-commands';
import { type OperationAnswer, WorkspaceOperations } from './workspace-operations';
import { decideCreate } from './workspace.rules';
import { workspaceView } from './workspace.view';
import { IdleWorkspace, LostWorkspace, POD_LOST, WorkspacesRepository } from './workspaces.repository';

/** In whose name an operator's stop runs. */
export const OPERATOR = 'reprise:operator';

/** Who requests the stop of an idle workspace. */
export const IDLE_TIMEOUT = 'reprise:idle-timeout';

const HOUR_MS = 3_600_000;

/** The use cases of workspaces: load, decide, save. */
@Injectable()
export class WorkspacesService {
  constructor(
    private readonly runner: CommandRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly operations: OperationsRepository,
    private readonly roles: RolesRepository,
    private readonly beginning: WorkspaceOperations,
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
      this.beginning.mustBeRunnable(found);
      const id = newId('workspace');
      const operation = this.beginning.operation(command, 'create', { id, generation: 1, force: false }, now);
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
    return this.beginning.begin(command, { kind: 'restart', force: command.data.force ?? false });
  }

  async stop(command: Command<StopWorkspace>): Promise<OperationAnswer> {
    return this.beginning.begin(command, { kind: 'stop' });
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
    return this.beginning.begin(command, { kind: 'stop' }, { wanted: (workspace, now) => hasIdled(workspace, workspace.role, now) });
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
      return await this.beginning.begin(command, { kind: 'resume' }, { wanted: (workspace) => workspace.lost_at !== null });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      await this.workspaces.leaveLost(lost);
      return null;
    }
  }

  /**
   * An operator's stop of a workspace of any tenant. The tenant's audit log has the operator and the reason; the operation, which the tenant's callers
   * see, has neither.
   */
  async stopWithoutSnapshot(command: Command<StopWithoutSnapshot>): Promise<OperationAnswer> {
    const { workspace_id: id, reason } = command.data;
    const workspace = await this.workspaces.look(id, null);
    const windingDown = { ...command, orgId: workspace?.org_id ?? command.orgId, postureChecked: true };
    const asked = { kind: 'stop', withoutSnapshot: true } as const;
    return this.beginning.begin(windingDown, asked, { requestedBy: OPERATOR, audit: { reason } });
  }

  async resume(command: Command<ResumeWorkspace>): Promise<OperationAnswer> {
    return this.beginning.begin(command, { kind: 'resume', fromSnapshot: command.data.from_snapshot ?? false });
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
      createdBy: query.caller?.own_only ? query.caller.sub : null,
      includeArchived: query.include_archived,
      roleId: role?.id ?? null,
      status: query.status ?? null,
      before: from.before,
      limit: query.limit + 1,
    });
    const { page, ...rest } = pageOf(rows, query.limit, workspaceView);
    return { workspaces: page, ...rest };
  }

  /** A command that only marks the workspace. */
  private mark<S extends 'archived' | 'unarchived'>(
    command: Command<OnWorkspace>,
    kind: 'archive' | 'unarchive',
    status: S,
  ): Promise<{ status: S }> {
    return this.runner.runGuarded(command, async (manager, now, loading): Promise<Change<{ status: S }>> => {
      const { workspace, next } = await this.beginning.decideOn(manager, command, { kind }, loading);
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
}
