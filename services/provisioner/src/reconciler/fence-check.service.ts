import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { PodDriver, PodIdentity, PodState } from '../pods/pod-driver';
import { POD_DRIVER } from '../ports/tokens';
import { FencesRepository, type UnknownPod } from './fences.repository';

/**
 * Where the database was restored to an earlier state, the machines know of newer pods than it does: no pod can be made of a generation that they have
 * passed. So at each start the generations on record are raised to the fences that the driver finds, and whatever pods of that time are still there
 * become pods on record: what they hold is newer than any snapshot that the database knows, and the next resume saves it.
 */
@Injectable()
export class FenceCheck implements OnApplicationBootstrap {
  private readonly logger = new Logger(FenceCheck.name);
  private isDone = false;

  constructor(
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
    private readonly records: FencesRepository,
  ) {}

  /** Before the first command is consumed. A driver that is away keeps nothing from starting: then each pass of the reconciler tries again. */
  async onApplicationBootstrap(): Promise<void> {
    await this.run().catch((error: unknown) => this.logger.warn(`The fences were not read: ${(error as Error).message}`));
  }

  /** Once a process. Resolves with how many were raised. */
  async run(): Promise<number> {
    if (this.isDone) return 0;
    const passed = await this.records.passed(await this.driver.fences());
    const pods = passed.length === 0 ? [] : await this.driver.list();
    let raised = 0;
    for (const fence of passed) {
      if (
        !(await this.raise(
          fence,
          pods.filter(({ workspaceId }) => workspaceId === fence.workspaceId),
        ))
      )
        continue;
      raised += 1;
      this.logger.warn(`Generations of ${fence.workspaceId} go on from ${fence.generation}: the database was restored to an earlier state`);
    }
    this.isDone = true;
    return raised;
  }

  private async raise(fence: PodIdentity, there: readonly PodState[]): Promise<boolean> {
    const live = await this.records.live(fence.workspaceId);
    const unknown = there.filter(({ generation }) => !live.includes(generation)).flatMap(worthKeeping);
    const isThere = (generation: number) => there.some((pod) => pod.generation === generation);
    // Where nothing of later is there, what was live and is gone is lost, and the comparison of pods says so.
    const replaced = unknown.length === 0 ? [] : live.filter((generation) => !isThere(generation));
    return this.records.raise(fence, unknown, replaced);
  }
}

/** Pods of after the backup. */
function worthKeeping({ workspaceId, generation, phase, salvageable }: PodState): UnknownPod[] {
  if (phase === 'dead' && !salvageable) return [];
  return [{ workspaceId, generation, status: phase === 'dead' ? 'lost' : 'live' }];
}
