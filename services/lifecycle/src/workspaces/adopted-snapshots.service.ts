import { SnapshotAdopted } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import type { Fact } from '../commands/command';
import { FactRunner } from '../commands/fact-runner';
import { OneStatement } from '../transactions/one-statement';
import { WorkspacesRepository } from './workspaces.repository';

/** Snapshots that an operator put on record again, after the database was restored to an earlier state. */
@Injectable()
export class AdoptedSnapshots {
  constructor(
    private readonly facts: FactRunner,
    private readonly workspaces: WorkspacesRepository,
  ) {}

  /** The workspace shows it as its last. Where an operation has begun since, that one tells what it came from. */
  async adopted(fact: Fact<SnapshotAdopted>): Promise<void> {
    const { workspace_id: id, snapshot_id: snapshot, taken_at: takenAt } = fact.data;
    await this.facts.apply(fact, async (manager, now) => {
      const workspace = await this.workspaces.lock(manager, id, null);
      const isAtRest = workspace?.operation_id === null && workspace.pod_generation === null;
      if (!isAtRest) return null;
      const change = { snapshot_ref: snapshot, last_snapshot_error: null, saved_at: new Date(takenAt) };
      return { writes: new OneStatement().add('workspace', this.workspaces.update(workspace, change, now), 1), messages: [] };
    });
  }
}
