import { ProviderKind } from '@reprise/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of `providers`. */
@Entity('providers')
export class ProviderEntity {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  org_id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  kind!: ProviderKind;

  @Column('jsonb')
  config!: Record<string, unknown>;

  @Column('timestamptz')
  created_at!: Date;

  @Column('timestamptz')
  updated_at!: Date;

  @Column('timestamptz', { nullable: true })
  archived_at!: Date | null;
}
