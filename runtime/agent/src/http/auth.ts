import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AgentConfig } from '../config';
import { AgentError } from '../errors';
import { ControlGuard } from './control-guard';

/**
 * Whether a request may be answered. Returns the digest that its content must have, or null where that was not signed.
 * @throws AgentError `unauthorized`
 */
export type Authorize = (request: IncomingMessage) => string | null;

/** By signature where the agent was given the provisioner's keys; by the pod token where it was not, as provisioners before it do. */
export function authorizeBy(config: Pick<AgentConfig, 'controlKeys' | 'token' | 'workspaceId' | 'generation'>): Authorize {
  if (config.controlKeys.length > 0) {
    const guard = new ControlGuard(config.controlKeys, config);
    return (request) => guard.check(request);
  }
  return ({ headers }) => {
    if (!isAuthorized(headers.authorization, config.token)) {
      throw new AgentError('unauthorized', "the pod token is missing or not this pod's");
    }
    return null;
  };
}

/** Whether the header carries the pod's token. Takes the same time wherever they differ, and whatever their lengths. */
function isAuthorized(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token)) && given !== '';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
