import type { OperationView } from '@reprise/contracts';
import type { OperationEntity } from './operation.entity';

/** The columns that a view needs; times as dates or, where the row came inside another as JSON, as text. */
export type OperationRow = Omit<OperationEntity, 'created_at' | 'finished_at' | 'deadline_at' | 'pod_command' | 'resend_at' | 'resends'> & {
  created_at: Date | string;
  finished_at: Date | string | null;
};

/** An operation as the REST contract shows it. */
export function operationView(row: OperationRow): OperationView {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    kind: row.kind,
    status: row.status,
    generation: row.generation,
    force: row.force,
    requested_by: row.requested_by,
    phases: row.phases.map(({ attempt: _attempt, ...phase }) => phase),
    ...(row.state_from === null ? {} : { state_from: row.state_from }),
    ...(row.error ? { error: row.error } : {}),
    created_at: iso(row.created_at),
    finished_at: row.finished_at === null ? null : iso(row.finished_at),
  };
}

function iso(time: Date | string): string {
  return new Date(time).toISOString();
}
