import { CheckpointPod, type PodCheckpointed, type PodCheckpointFailed, newId } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';
import { Injectable } from '@nestjs/common';
import type { Fact } from '../commands/command';
import { FactRunner } from '../commands/fact-runner';
import { OneStatement } from '../transactions/one-statement';
import { isCheckpointDue } from './checkpoint.rules';
import type { WorkspaceEntity } from './workspace.entity';
import { type LoadedWorkspace, WorkspacesRepository } from './workspaces.repository';

/**
 * Checkpoints of idle workspaces: when one is due is in their rows, so that any replica asks for it, once, also after all of them were restarted. They are
 * no operations: nothing waits for them, they raise no generation, and a workspace is idle and takes tasks meanwhile.
 */
@Injectable()
export class CheckpointsService {
  constructor(
    private readonly facts: FactRunner,
    private readonly workspaces: WorkspacesRepository,
  ) {}

  due(now: Date, limit = 100): Promise<Pick<WorkspaceEntity, 'id' | 'generation'>[]> {
    return this.workspaces.checkpointDue(now, limit);
  }

  /** Asks for a checkpoint, unless it is not due any more. Resolves with whether it did. */
  async ask({ id }: Pick<WorkspaceEntity, 'id'>): Promise<boolean> {
    let asked = false;
    await this.facts.apply(null, async (manager, now) => {
      const workspace = await this.workspaces.lock(manager, id, null);
      asked = workspace !== null && isCheckpointDue(workspace, workspace.role, now);
      if (workspace === null || !asked) return null;
      return { writes: this.update(workspace, { checkpoint_asked_at: now }, now), messages: [commandFor(workspace)] };
    });
    return asked;
  }

  /** What changed since it was asked for is not known to be saved. A pod that has been replaced has a newer snapshot. */
  async taken(fact: Fact<PodCheckpointed>): Promise<void> {
    const { snapshot_id: snapshot, in_background: inBackground } = fact.data;
    await this.onPod(fact, (workspace, now) => ({
      snapshot_ref: snapshot,
      last_snapshot_error: null,
      saved_at: workspace.checkpoint_asked_at ?? now,
      background_work: inBackground > 0,
    }));
  }

  async failed(fact: Fact<PodCheckpointFailed>): Promise<void> {
    await this.onPod(fact, () => ({ last_snapshot_error: fact.data.message }));
  }

  private async onPod(
    fact: Fact<PodCheckpointed | PodCheckpointFailed>,
    changeOf: (workspace: LoadedWorkspace, now: Date) => Parameters<WorkspacesRepository['update']>[1],
  ): Promise<void> {
    await this.facts.apply(fact, async (manager, now) => {
      const workspace = await this.workspaces.lock(manager, fact.data.workspace_id, null);
      if (workspace?.pod_generation !== fact.data.pod_generation) return null;
      return { writes: this.update(workspace, changeOf(workspace, now), now), messages: [] };
    });
  }

  private update(workspace: LoadedWorkspace, change: Parameters<WorkspacesRepository['update']>[1], now: Date): OneStatement {
    return new OneStatement().add('workspace', this.workspaces.update(workspace, change, now), 1);
  }
}

function commandFor({ id, org_id: orgId, pod_generation: pod }: LoadedWorkspace): OutgoingMessage {
  const data: CheckpointPod = { workspace_id: id, pod_generation: pod ?? 0 };
  return { id: newId('message'), type: CheckpointPod.type, data, subject: id, orgId, actor: CHECKPOINT };
}

/** Who asks for a checkpoint. */
const CHECKPOINT = 'reprise:checkpoint';
