import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { podToken } from '@reprise/contracts';
import type { PodCredentials } from './pod-credentials';
import type { PodIdentity } from './pod-driver';

/** What stands before the 32 bytes of an Ed25519 private key in DER (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

interface Secret {
  readonly secret: string;
  readonly key: KeyObject;
}

/**
 * Everything that is derived from POD_TOKEN_SECRET, and from the one before it while it is exchanged. A pod is made with the present secret, and is still
 * controlled where it was made with the other.
 */
export class PodKeys {
  private readonly secrets: readonly [Secret, ...Secret[]];

  constructor(present: string, previous?: string | null) {
    this.secrets = [derived(present), ...(previous ? [derived(previous)] : [])];
  }

  /** For a new pod. */
  token(pod: PodIdentity): string {
    return podToken(this.secrets[0].secret, pod);
  }

  /** What a new pod knows the provisioner by, base64url. Both, so that a replica which has only the other secret can control it too. */
  publicKeys(): string[] {
    return this.secrets.map(({ key }) => createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url'));
  }

  credentials(pod: PodIdentity): [PodCredentials, ...PodCredentials[]] {
    const of = ({ secret, key }: Secret): PodCredentials => ({
      token: podToken(secret, pod),
      control: { key, workspaceId: pod.workspaceId, generation: pod.generation },
    });
    const [present, ...others] = this.secrets;
    return [of(present), ...others.map(of)];
  }
}

function derived(secret: string): Secret {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'reprise pod control v1', 32));
  return { secret, key: createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' }) };
}
