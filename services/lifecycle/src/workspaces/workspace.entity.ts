import { type WorkspaceFailure, WorkspaceStatus } from '@reprise/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of `workspaces`. Properties are named as the columns, so that a row read by SQL is the same shape. */
@Entity('workspaces')
export class WorkspaceEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  org_id!: string;

  @Column('text')
  role_id!: string;

  @Column('text', { nullable: true })
  environment!: string | null;

  @Column('text')
  status!: WorkspaceStatus;

  /** Raised by every accepted operation; fences everything older. */
  @Column('integer')
  generation!: number;

  /** The generation of the pod that lives, or null. Below `generation` where an operation runs or failed with the pod kept. */
  @Column('integer', { nullable: true })
  pod_generation!: number | null;

  /** The version of the role that the pod was made with. */
  @Column('integer', { nullable: true })
  pod_role_version!: number | null;

  /** The newest pod that was told lost while an operation was in flight: the operation may end later, and with that pod. */
  @Column('integer', { nullable: true })
  lost_generation!: number | null;

  /** When its pod was lost, where it is to be resumed for it; null otherwise. */
  @Column('timestamptz', { nullable: true })
  lost_at!: Date | null;

  @Column('text')
  created_by_user_id!: string;

  /** The last good snapshot. */
  @Column('text', { nullable: true })
  snapshot_ref!: string | null;

  @Column('text', { nullable: true })
  last_snapshot_error!: string | null;

  /** Why it failed; null once an operation has succeeded. */
  @Column('jsonb', { nullable: true })
  failure!: WorkspaceFailure | null;

  /** The operation in flight, or null. */
  @Column('text', { nullable: true })
  operation_id!: string | null;

  /** The task that has not ended, or null. */
  @Column('text', { nullable: true })
  running_task_id!: string | null;

  /** Since when it is idle; null where it is not. */
  @Column('timestamptz', { nullable: true })
  idle_since!: Date | null;

  /** As of when its state is known to be in a snapshot; null where it never was, and of workspaces from before there were checkpoints. */
  @Column('timestamptz', { nullable: true })
  saved_at!: Date | null;

  /** When a checkpoint was last asked for, of the pod that lives. */
  @Column('timestamptz', { nullable: true })
  checkpoint_asked_at!: Date | null;

  /** Whether something ran in the background at the last checkpoint: its files may change without a task. */
  @Column('boolean')
  background_work!: boolean;

  @Column('timestamptz')
  created_at!: Date;

  @Column('timestamptz')
  updated_at!: Date;

  @Column('timestamptz', { nullable: true })
  archived_at!: Date | null;
}
