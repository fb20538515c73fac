import { connect } from 'node:net';
import type { ContainerInspectInfo } from 'dockerode';
import type { PodEnd } from '../pod-driver';
import { AGENT_PORT } from './container-options';

const LISTENS_WITHIN_MS = 1_000;

/** Base address of the agent in the container with this address. */
export function addressOf(ip: string): string {
  return `http://${ip}:${AGENT_PORT}`;
}

/** Whether an agent takes connections there. One that is stopped or too busy to answer still does. */
export function listens(ip: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port: AGENT_PORT });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LISTENS_WITHIN_MS, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/** How a container ended; null for one that never began. */
export function endOf(container: ContainerInspectInfo): PodEnd | null {
  const { State: state, HostConfig: host } = container;
  if (state.Status === 'created' || state.Running) return null;
  // The engine says it of a container in which anything was killed for memory, once and for all: only a kill ends the agent by it.
  if (state.OOMKilled && state.ExitCode === 137) {
    return { reason: 'out_of_memory', detail: `It was killed at its limit of ${Math.round((host.Memory ?? 0) / 1024 / 1024)} MiB.` };
  }
  const words = state.Error === '' ? '' : `: ${state.Error}`;
  return { reason: 'exited', detail: `Exit code ${state.ExitCode}${words}`.slice(0, 1_000) };
}
