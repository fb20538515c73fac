import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AboutOperation } from '../commands/fact-runner';
import type { TaskEntity } from '../tasks/task.entity';
import { TasksRepository } from '../tasks/tasks.repository';
import { type LoadedWorkspace, WorkspacesRepository } from '../workspaces/workspaces.repository';
import type { OperationEntity } from './operation.entity';
import { type LoadedOperation, OperationsRepository } from './operations.repository';

/** An operation and its workspace. */
export interface Loaded {
  workspace: LoadedWorkspace;
  operation: LoadedOperation;
}

export interface LoadedWithTask extends Loaded {
  /** The task that runs in the workspace. */
  task: TaskEntity | null;
}

/** Reads what a fact about an operation is about; null where there is no such operation of that workspace. */
@Injectable()
export class OperationLoader {
  constructor(
    private readonly workspaces: WorkspacesRepository,
    private readonly operations: OperationsRepository,
    private readonly tasks: TasksRepository,
  ) {}

  async load(manager: EntityManager, about: AboutOperation, loading: { locked: boolean }): Promise<Loaded | null> {
    // The workspace first: everyone locks it so.
    const workspace = await this.workspaces.load(manager, about.workspace_id, null, loading);
    const operation = workspace && (await this.loadAlone(manager, about, loading));
    return operation && { workspace, operation };
  }

  async loadWithTask(manager: EntityManager, about: AboutOperation, loading: { locked: boolean }): Promise<LoadedWithTask | null> {
    const loaded = await this.load(manager, about, loading);
    if (!loaded) return null;
    const { running_task_id: taskId } = loaded.workspace;
    return { ...loaded, task: taskId ? await this.tasks.load(manager, taskId, loading) : null };
  }

  /** The operation without its workspace, for what does not touch that. */
  async loadAlone(
    manager: EntityManager,
    { workspace_id, operation_id }: AboutOperation,
    loading: { locked: boolean },
  ): Promise<LoadedOperation | null> {
    const operation = await this.operations.load(manager, operation_id, loading);
    return operation?.workspace_id === workspace_id ? operation : null;
  }
}

export function fenceOf({ operation_id, generation }: LoadedWorkspace) {
  return { operationId: operation_id, generation };
}

export function aboutOf({ org_id, workspace_id, requested_by, correlation_id }: OperationEntity) {
  return { orgId: org_id, workspaceId: workspace_id, actor: requested_by, correlationId: correlation_id };
}
