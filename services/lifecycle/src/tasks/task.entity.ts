import { TaskStatus } from '@reprise/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of `tasks`. */
@Entity('tasks')
export class TaskEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  org_id!: string;

  @Column('text')
  workspace_id!: string;

  /** The pod that it was given to; another pod's reports about it are ignored. */
  @Column('integer')
  pod_generation!: number;

  @Column('text')
  description!: string;

  @Column('text')
  status!: TaskStatus;

  @Column('text', { nullable: true })
  output!: string | null;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('text')
  requested_by!: string;

  @Column('text')
  correlation_id!: string;

  @Column('timestamptz')
  created_at!: Date;

  @Column('timestamptz', { nullable: true })
  started_at!: Date | null;

  @Column('timestamptz', { nullable: true })
  completed_at!: Date | null;
}
