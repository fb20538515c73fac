import { TaskStatus } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';
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

  /** What the role gave it when it was submitted. */
  @Column('integer')
  timeout_seconds!: number;

  /** When it is interrupted, unless it has got further by then. */
  @Column('timestamptz')
  deadline_at!: Date;

  /** The command that hands it to its pod, as it was first sent; null once it is delivered or has ended. */
  @Column('json', { nullable: true })
  run_command!: OutgoingMessage | null;

  /** When that command is sent again. */
  @Column('timestamptz', { nullable: true })
  resend_at!: Date | null;

  @Column('integer')
  resends!: number;

  /** How often it was interrupted for being past its deadline. */
  @Column('integer')
  interrupts!: number;
}
