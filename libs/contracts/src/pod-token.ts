import { createHmac, timingSafeEqual } from 'node:crypto';
import { isId } from './ids';

/** Who a pod token speaks for. */
export interface PodIdentity {
  workspaceId: string;
  generation: number;
}

const PATTERN = /^pod\.(ws_[0-9a-z]{26})\.([1-9][0-9]{0,14})\.([0-9a-f]{64})$/;

/**
 * The token of one pod: `pod.<workspace>.<generation>.<hex hmac-sha256>`. Derived, never stored: whoever holds the secret can make and
 * check it, so a provisioner that restarts still speaks to the pods that it finds.
 */
export function podToken(secret: string, pod: PodIdentity): string {
  return `pod.${pod.workspaceId}.${pod.generation}.${mac(secret, pod).toString('hex')}`;
}

/** The pod that a token speaks for, or null where the token is malformed or its signature is wrong. Compares in constant time. */
export function verifyPodToken(secret: string, token: string): PodIdentity | null {
  const match = PATTERN.exec(token);
  if (!match || !isId('workspace', match[1])) return null;
  const pod = { workspaceId: match[1], generation: Number(match[2]) };
  return timingSafeEqual(Buffer.from(match[3] ?? '', 'hex'), mac(secret, pod)) ? pod : null;
}

function mac(secret: string, pod: PodIdentity): Buffer {
  return createHmac('sha256', secret).update(`${pod.workspaceId}.${pod.generation}`).digest();
}
