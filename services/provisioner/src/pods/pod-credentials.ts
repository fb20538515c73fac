import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';

/** What a request to a pod's agent is authorized with. Plain data: a thread can be sent it. */
export interface PodCredentials {
  /** For agents that were made before requests were signed. */
  readonly token: string;
  /** Absent for an agent that knows no keys. */
  readonly control?: ControlKey;
}

/** The provisioner's private key, and the pod that a request is meant for. */
export interface ControlKey {
  readonly key: KeyObject;
  readonly workspaceId: string;
  readonly generation: number;
}

/** What a signature covers of a request's content: the content itself, or the digest that the agent holds it to. */
export type SignedContent = { readonly content: string } | { readonly digest: string };

/** The headers that authorize one request, once. What is signed is written down in docs/pod-contract.md, section 2. */
export function headersOf(
  { token, control }: PodCredentials,
  method: string,
  target: string,
  content: SignedContent,
): Record<string, string> {
  const bearer = { authorization: `Bearer ${token}` };
  if (!control) return bearer;
  const time = String(Date.now());
  const nonce = randomBytes(16).toString('hex');
  const digest = 'digest' in content ? content.digest : createHash('sha256').update(content.content).digest('hex');
  const signed = ['reprise-control-v1', method, target, control.workspaceId, control.generation, time, nonce, digest].join('\n');
  return {
    ...bearer,
    'x-reprise-time': time,
    'x-reprise-nonce': nonce,
    'x-reprise-content-sha256': digest,
    'x-reprise-signature': sign(null, Buffer.from(signed), control.key).toString('base64url'),
  };
}
