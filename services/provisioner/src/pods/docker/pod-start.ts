import { setTimeout as sleep } from 'node:timers/promises';
import { AgentClient } from '../agent-client';
import type { PodHandle, PodSpec } from '../pod-driver';
import type { PodContainers } from './containers';
import { podError } from './engine-error';
import { addressOf, endOf } from './pod-state';

const POLL_MS = 25;
const ANSWERS_WITHIN_MS = 2_000;
/** How long whoever made a container may take to start it. After that, it was left behind. */
const STARTED_WITHIN_MS = 5_000;

/** Sees containers through from their making until their agent answers. */
export class PodStart {
  constructor(
    private readonly containers: PodContainers,
    private readonly startTimeoutMs: number,
  ) {}

  /** Whether a container that was made becomes something else within the time that this takes whoever made it. */
  async isMoving(id: string): Promise<boolean> {
    for (const until = Date.now() + STARTED_WITHIN_MS; Date.now() < until; await sleep(POLL_MS)) {
      if ((await this.containers.look(id))?.State.Status !== 'created') return true;
    }
    return false;
  }

  /**
   * Waits until the agent in this container answers. One that does not in time is ended, unless it was up before: then it may be at work.
   * @throws PodError `start_failed`, `start_timeout`
   */
  async listening(spec: PodSpec, id: string, { adopted }: { adopted: boolean }): Promise<PodHandle> {
    const { workspaceId, generation } = spec;
    for (const until = Date.now() + this.startTimeoutMs; ;) {
      const container = await this.containers.look(id);
      if (container === null) throw podError('start_failed', 'its container was removed while it started');
      const end = endOf(container);
      if (end !== null) throw podError('start_failed', `${end.detail} ${await this.containers.lastWords(id)}`);
      const [network] = Object.values(container.NetworkSettings.Networks);
      if (network?.IPAddress && (await this.answers(spec, network.IPAddress))) {
        return { workspaceId, generation, address: addressOf(network.IPAddress) };
      }
      if (Date.now() > until) {
        const words = await this.containers.lastWords(id);
        if (!adopted) await this.containers.stop(id, 0);
        throw podError('start_timeout', `the agent did not answer within ${this.startTimeoutMs} ms. ${words}`);
      }
      await sleep(POLL_MS);
    }
  }

  private async answers({ workspaceId, generation, token }: PodSpec, ip: string): Promise<boolean> {
    const agent = new AgentClient({ address: addressOf(ip), credentials: [{ token }], timeoutMs: ANSWERS_WITHIN_MS });
    const health = await agent.health().catch(() => null);
    return health?.workspaceId === workspaceId && health.generation === generation;
  }
}
