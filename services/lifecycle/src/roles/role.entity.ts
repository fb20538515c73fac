import type { PodLostPolicy, RoleRuntime } from '@reprise/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of `roles`. */
@Entity('roles')
export class RoleEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  org_id!: string;

  @Column('text')
  provider_id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  display_name!: string;

  @Column('jsonb')
  command!: string[];

  @Column('jsonb')
  env!: Record<string, string>;

  /** Encrypted by the gateway, for the provisioner: nothing here can read it. */
  @Column('jsonb')
  secret_env!: Record<string, string>;

  @Column('integer')
  task_timeout_seconds!: number;

  @Column('integer')
  idle_timeout_seconds!: number;

  @Column('jsonb')
  runtime!: RoleRuntime;

  @Column('text')
  on_pod_lost!: PodLostPolicy;

  /** 0: never. */
  @Column('integer')
  checkpoint_interval_seconds!: number;

  /** Raised by every change of the role or of its provider. */
  @Column('integer')
  version!: number;

  @Column('timestamptz')
  created_at!: Date;

  @Column('timestamptz')
  updated_at!: Date;

  @Column('timestamptz', { nullable: true })
  archived_at!: Date | null;
}
