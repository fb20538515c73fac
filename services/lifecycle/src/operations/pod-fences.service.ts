import { PodFenceFound } from '@reprise/contracts';
import { DeadLetter } from '@reprise/messaging';
import { Injectable, Logger } from '@nestjs/common';
import type { Fact } from '../commands/command';
import { FactRunner } from '../commands/fact-runner';
import { OneStatement } from '../transactions/one-statement';
import { WorkspacesRepository } from '../workspaces/workspaces.repository';
import { OperationsService } from './operations.service';

/** No workspace has so many operations between two backups; what is beyond is a mistake, and would leave no generations to come. */
const LARGEST_GAP = 1_000_000;

/** What becomes of a workspace whose pods are further than the database, which was restored to an earlier state. */
@Injectable()
export class PodFences {
  private readonly logger = new Logger(PodFences.name);

  constructor(
    private readonly facts: FactRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly operations: OperationsService,
  ) {}

  /** Generations go on from the newest pod that was ever made. An operation in flight is of the past, and fails first. */
  async found(fact: Fact<PodFenceFound>): Promise<void> {
    const { workspace_id: id, generation: newest } = fact.data;
    const known = await this.workspaces.look(id, null);
    if (known && newest > known.generation + LARGEST_GAP) {
      throw new DeadLetter(
        'implausible_generation',
        `The generation ${newest} is too far above ${known.generation}, the highest that is known`,
      );
    }
    if (known?.operation_id && known.generation < newest) {
      await this.operations.failPassed({ id: known.operation_id, workspace_id: id, generation: known.generation }, newest);
    }
    await this.facts.apply(fact, async (manager, now) => {
      const workspace = await this.workspaces.lock(manager, id, null);
      if (!workspace || workspace.generation >= newest) return null;
      // Accepted since: the message comes again, and ends that one.
      if (workspace.operation_id !== null) throw new Error(`Workspace ${id} is in another operation by now`);
      this.logger.warn(`Generations of ${id} go on from ${newest}`);
      return {
        writes: new OneStatement().add('workspace', this.workspaces.update(workspace, { generation: newest }, now), 1),
        messages: [],
      };
    });
  }
}
