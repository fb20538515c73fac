import { OperationErrorCode, OperationKind, OperationStatus } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PhaseRecord } from './operation.rules';

/** A row of `operations`. */
@Entity('operations')
export class OperationEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  org_id!: string;

  @Column('text')
  workspace_id!: string;

  @Column('text')
  kind!: OperationKind;

  @Column('text')
  status!: OperationStatus;

  @Column('integer')
  generation!: number;

  @Column('boolean')
  force!: boolean;

  @Column('text')
  requested_by!: string;

  /** Given to every event about this operation, so that whoever sent the command finds its outcome. */
  @Column('text')
  correlation_id!: string;

  @Column('jsonb')
  phases!: PhaseRecord[];

  /** What the new pod began from: a snapshot's id, `salvage` or `empty`; null until there is one. */
  @Column('text', { nullable: true })
  state_from!: string | null;

  @Column('jsonb', { nullable: true })
  error!: { code: OperationErrorCode; message: string } | null;

  @Column('timestamptz')
  created_at!: Date;

  @Column('timestamptz')
  deadline_at!: Date;

  @Column('timestamptz', { nullable: true })
  finished_at!: Date | null;

  /** The command that carries it to the provisioner, as it was first sent; null once the operation has ended. */
  @Column('json', { nullable: true })
  pod_command!: OutgoingMessage | null;

  /** When the command is sent again, unless there is progress before. */
  @Column('timestamptz', { nullable: true })
  resend_at!: Date | null;

  /** How often it was sent again. */
  @Column('integer')
  resends!: number;
}
