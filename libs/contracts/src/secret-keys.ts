import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** `v1.<key id>.<nonce, ciphertext and tag in base64url>`; 28 bytes are nonce and tag, the others are as many as the value has. */
export const ENCRYPTED_SECRET = /^v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{38,})$/;

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a secret belongs. It decrypts nowhere else, so that a copied ciphertext is worth nothing. */
export interface SecretPlace {
  orgId: string;
  roleId: string;
  /** Of the environment variable. */
  name: string;
}

/** A secret cannot be decrypted: it was encrypted with another key, or for another place, or it was changed. The message never holds the value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

interface Key {
  id: string;
  cipher: Buffer;
  mac: Buffer;
}

/**
 * The keys of roles' secrets: the gateway encrypts with the present one, the provisioner decrypts with the present one and the one before. Each is derived
 * (HKDF-SHA256) from a text of the configuration, and so is the id that a ciphertext names it by.
 */
export class SecretKeys {
  private readonly present: Key;
  private readonly keys: ReadonlyMap<string, Key>;

  constructor(present: string, previous?: string) {
    this.present = keyOf(present);
    const all = [this.present, ...(previous === undefined ? [] : [keyOf(previous)])];
    this.keys = new Map(all.map((key) => [key.id, key]));
  }

  encrypt(value: string, place: SecretPlace): string {
    const { id, cipher: key } = this.present;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(associated(id, place));
    const bytes = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `v1.${id}.${bytes.toString('base64url')}`;
  }

  /** @throws SecretError */
  decrypt(secret: string, place: SecretPlace): string {
    const [, id = '', text = ''] = ENCRYPTED_SECRET.exec(secret) ?? [];
    const key = this.keys.get(id);
    if (!key) throw new SecretError(`${place.name} was encrypted with a key that is not configured here (key id ${id || 'unknown'})`);
    const bytes = Buffer.from(text, 'base64url');
    const decipher = createDecipheriv(CIPHER, key.cipher, bytes.subarray(0, NONCE_BYTES))
      .setAAD(associated(id, place))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch {
      throw new SecretError(`${place.name} cannot be decrypted: it was changed, or encrypted for another role`);
    }
  }

  /** Tells whether two texts are the same to whoever has the key, and nothing to anybody else. */
  mac(text: string): string {
    return createHmac('sha256', this.present.mac).update(text).digest('hex');
  }
}

/** How many bytes the value has. */
export function bytesOfSecret(secret: string): number {
  const text = ENCRYPTED_SECRET.exec(secret)?.[2] ?? '';
  return Math.max(0, Math.floor((text.length * 3) / 4) - NONCE_BYTES - TAG_BYTES);
}

function keyOf(text: string): Key {
  const derive = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', text, '', `reprise secret_env ${purpose}`, bytes));
  return { id: derive('key id', 4).toString('hex'), cipher: derive('cipher', 32), mac: derive('mac', 32) };
}

function associated(keyId: string, { orgId, roleId, name }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify(['v1', keyId, orgId, roleId, name]));
}
