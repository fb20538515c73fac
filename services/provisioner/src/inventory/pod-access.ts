import { Inject, Injectable } from '@nestjs/common';
import type { PodAgent } from '../pods/agent-client.types';
import type { PodDriver, PodHandle, PodIdentity } from '../pods/pod-driver';
import { CONNECT_AGENT, POD_DRIVER, type ConnectAgent } from '../ports/tokens';

/** What the driver finds of a pod: an agent to talk to, a process that does not listen yet, or nothing that lives. */
export type FoundPod = { readonly agent: PodAgent; readonly handle: PodHandle } | 'starting' | 'gone';

/** The way from a pod's identity to its agent. Asks the driver each time: an address that was written down may be another's by now. */
@Injectable()
export class PodAccess {
  constructor(
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
    @Inject(CONNECT_AGENT) private readonly connect: ConnectAgent,
  ) {}

  /** Whether what the pod held can be opened by `salvage`. @throws PodError */
  async isSalvageable(pod: PodIdentity): Promise<boolean> {
    return (await this.driver.inspect(pod))?.salvageable === true;
  }

  /** @throws PodError */
  async find(pod: PodIdentity): Promise<FoundPod> {
    const state = await this.driver.inspect(pod);
    if (state === null || state.phase === 'dead') return 'gone';
    if (state.address === null) return 'starting';
    const handle = { workspaceId: pod.workspaceId, generation: pod.generation, address: state.address };
    return { agent: this.connect(handle), handle };
  }
}
