import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { columnsOf } from '../transactions/columns.repository';
import type { Fragment } from '../transactions/one-statement';
import { TaskEntity } from './task.entity';

/** What a write may change. */
export type TaskChange = Partial<
  Pick<
    TaskEntity,
    'status' | 'output' | 'reason' | 'started_at' | 'completed_at' | 'deadline_at' | 'run_command' | 'resend_at' | 'resends' | 'interrupts'
  >
>;

const COLUMNS: readonly (keyof TaskChange)[] = [
  'status',
  'output',
  'reason',
  'started_at',
  'completed_at',
  'deadline_at',
  'run_command',
  'resend_at',
  'resends',
  'interrupts',
];

const ALL = columnsOf(TaskEntity);
const LISTED = columnsOf(TaskEntity, undefined, ['description', 'output', 'run_command']);

/** A task as a list reads it: the beginning of its text, and whether that is all of it. */
export type ListedTask = Omit<TaskEntity, 'output' | 'run_command'> & { description_truncated: boolean };

/** How many characters of a task's text a list shows. */
const SHOWN_CHARACTERS = 500;

@Injectable()
export class TasksRepository {
  constructor(private readonly dataSource: DataSource) {}

  insert(task: TaskEntity): Fragment {
    return (bind) =>
      `INSERT INTO tasks (id, org_id, workspace_id, pod_generation, description, status, requested_by, correlation_id, created_at,
                          timeout_seconds, deadline_at, run_command, resend_at)
       VALUES (${bind(task.id)}, ${bind(task.org_id)}, ${bind(task.workspace_id)}, ${bind(task.pod_generation)}, ${bind(task.description)},
               ${bind(task.status)}, ${bind(task.requested_by)}, ${bind(task.correlation_id)}, ${bind(task.created_at)},
               ${bind(task.timeout_seconds)}, ${bind(task.deadline_at)}, ${bind(JSON.stringify(task.run_command))}::json, ${bind(task.resend_at)}) RETURNING 1`;
  }

  /** Writes the change if the task is still as it was loaded. */
  update(loaded: Pick<TaskEntity, 'id' | 'status'>, change: TaskChange): Fragment {
    return (bind) => {
      const sets = COLUMNS.filter((column) => change[column] !== undefined).map((column) => `${column} = ${bind(change[column])}`);
      return `UPDATE tasks SET ${sets.join(', ')} WHERE id = ${bind(loaded.id)} AND status = ${bind(loaded.status)} RETURNING 1`;
    };
  }

  /** The task, locked until the transaction ends. Lock its workspace first. */
  async lock(manager: EntityManager, id: string): Promise<TaskEntity | null> {
    return this.load(manager, id, { locked: true });
  }

  /** The same; not locked, it may be another one by the time that it is written. */
  async load(manager: EntityManager, id: string, { locked }: { locked: boolean }): Promise<TaskEntity | null> {
    const rows = await manager.query<TaskEntity[]>(`SELECT ${ALL} FROM tasks WHERE id = $1 ${locked ? 'FOR UPDATE' : ''}`, [id]);
    return rows[0] ?? null;
  }

  /** Tasks that have not ended and are past their deadline, or submitted and not delivered for too long; of all tenants. */
  overdue(now: Date, limit: number): Promise<Pick<TaskEntity, 'id' | 'workspace_id'>[]> {
    return this.dataSource.query<Pick<TaskEntity, 'id' | 'workspace_id'>[]>(
      `SELECT t.id, t.workspace_id FROM tasks t
        WHERE t.status IN ('submitted', 'delivered', 'running')
          AND (t.deadline_at <= $1 OR (t.status = 'submitted' AND t.resend_at <= $1))
        ORDER BY least(t.deadline_at, t.resend_at) LIMIT $2`,
      [now, limit],
    );
  }

  async find(workspaceId: string, id: string): Promise<TaskEntity | null> {
    const rows = await this.dataSource.query<TaskEntity[]>(`SELECT ${ALL} FROM tasks WHERE id = $1 AND workspace_id = $2`, [
      id,
      workspaceId,
    ]);
    return rows[0] ?? null;
  }

  /** A page, newest first. @param before only tasks older than this one */
  page(workspaceId: string, before: string | null, limit: number): Promise<ListedTask[]> {
    return this.dataSource.query<ListedTask[]>(
      `SELECT ${LISTED}, left(description, $4) AS description, char_length(description) > $4 AS description_truncated
         FROM tasks WHERE workspace_id = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [workspaceId, before, limit, SHOWN_CHARACTERS],
    );
  }
}
