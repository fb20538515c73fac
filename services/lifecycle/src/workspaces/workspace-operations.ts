import { OperationKind, newId, refusal } from '@reprise/contracts';
import { RefusedError } from '@reprise/messaging';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Command, OnWorkspace } from '../commands/command';
import { Change, CommandRunner } from '../commands/command-runner';
import { mayTouch, notCreator, notFound } from '../commands/visibility.rules';
import { LifecycleConfig } from '../lifecycle.config';
import type { OperationEntity } from '../operations/operation.entity';
import { OperationsRepository } from '../operations/operations.repository';
import { notRunnable, type Runnable } from '../roles/role-limits.rules';
import { RolesRepository } from '../roles/roles.repository';
import { OneStatement } from '../transactions/one-statement';
import { statusChanged } from './announcements';
import { podCommandFor } from './pod-commands';
import { Accepted, WorkspaceCommand, decide } from './workspace.rules';
import { stateOf } from './workspace.state';
import { LoadedWorkspace, WorkspacesRepository } from './workspaces.repository';

/** What a lifecycle command is answered with. */
export interface OperationAnswer {
  status: 'restarting' | 'resuming' | 'stopping';
  operation_id: string;
}

const DOING = { restart: 'restarting', resume: 'resuming', stop: 'stopping' } as const;

/** What a command may say beyond its kind. */
interface Particulars {
  /** Whether it still is what was asked for, of what was loaded. */
  wanted?: (workspace: LoadedWorkspace, now: Date) => boolean;
  /** In whose name the operation runs, where that is not the caller's. */
  requestedBy?: string;
  /** What the audit log says beyond the operation. */
  audit?: object;
}

/** How a command to a workspace begins an operation: load, decide, save. */
@Injectable()
export class WorkspaceOperations {
  constructor(
    private readonly runner: CommandRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly operations: OperationsRepository,
    private readonly roles: RolesRepository,
    private readonly config: LifecycleConfig,
  ) {}

  /** @throws RefusedError */
  begin(
    command: Command<OnWorkspace>,
    asked: Extract<WorkspaceCommand, { kind: keyof typeof DOING }>,
    { wanted, requestedBy = command.actor, audit = {} }: Particulars = {},
  ): Promise<OperationAnswer> {
    const { kind } = asked;
    return this.runner.runGuarded(command, async (manager, now, loading): Promise<Change<OperationAnswer>> => {
      const { workspace, next } = await this.decideOn(manager, command, asked, loading);
      if (wanted && !wanted(workspace, now)) throw new RefusedError(refusal('invalid_state', { status: workspace.status }));
      if (kind !== 'stop') this.mustBeRunnable(workspace);
      const generation = workspace.generation + 1;
      const force = asked.kind === 'restart' && asked.force;
      const operation = { ...this.operation(command, kind, { id: workspace.id, generation, force }, now), requested_by: requestedBy };
      const about = { orgId: command.orgId, workspaceId: workspace.id, actor: requestedBy, correlationId: command.correlationId };
      const fromSnapshot = asked.kind === 'resume' && asked.fromSnapshot === true;
      const withoutSnapshot = asked.kind === 'stop' && asked.withoutSnapshot === true;
      const podCommand = podCommandFor(operation, workspace, { fromSnapshot, withoutSnapshot });
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
            ...(withoutSnapshot ? { without_snapshot: true } : {}),
            ...audit,
          },
        },
      };
    });
  }

  /** After every 409, and before anything is saved or torn down for a pod that could not be made. */
  mustBeRunnable(of: Runnable): void {
    const refused = notRunnable(of, this.config);
    if (refused) throw new RefusedError(refused);
  }

  /** Loads the workspace, and decides: 404, then 403 by creator, then 409. */
  async decideOn(
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

  operation(
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
