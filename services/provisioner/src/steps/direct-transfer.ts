import { AgentError } from '../pods/agent-client.types';
import type { Encoding } from '../snapshots/encoding';

/** An agent that does not know the way, a store that the pod does not reach, or one that fails it. */
const CODES: ReadonlySet<string> = new Set(['not_found', 'method_not_allowed', 'store_unreachable', 'store_failed']);

/** Whether a transfer between pod and store failed so that it is worth going through the provisioner. Nothing was changed by it. */
export function cannotTransfer(error: unknown): error is AgentError {
  return error instanceof AgentError && CODES.has(error.agentCode ?? '');
}

/** The same of a download. An agent that knows gzip alone takes anything else for a bad archive; one that is bad is found to be so once more on the other way. */
export function cannotFetch(error: unknown, encoding: Encoding): error is AgentError {
  return cannotTransfer(error) || (encoding !== 'gzip' && error instanceof AgentError && error.agentCode === 'bad_archive');
}
