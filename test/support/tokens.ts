import { createHmac, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JwtPayload, sign, type SignOptions } from 'jsonwebtoken';

export const ISSUER = 'http://reprise.local';
export const AUDIENCE = 'reprise';

/** Everything that a tenant's token can allow. */
export const ALL_SCOPES = ['workspace:read', 'workspace:write', 'tasks:write', 'caps:write'];

export interface Claims {
  org?: string;
  sub?: string;
  permissions?: readonly string[];
  /** Claims put in the place of the right ones; undefined takes one away. */
  claims?: JwtPayload;
  /** How it is signed, in the place of the right way. */
  signing?: SignOptions & { key?: string };
}

export function newKeys(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** The issuer of a stack's tokens, with a signing key of its own. */
export class Issuer {
  private readonly keys = newKeys();

  /** @returns the file with the public key, for the gateway */
  writePublicKey(folder: string): string {
    const file = join(folder, 'public.pem');
    writeFileSync(file, this.keys.publicKey);
    return file;
  }

  get publicKey(): string {
    return this.keys.publicKey;
  }

  token({ org = 'acme', sub = 'alice', permissions = ALL_SCOPES, claims = {}, signing = {} }: Claims = {}): string {
    const { key = this.keys.privateKey, ...options } = signing;
    const now = Math.floor(Date.now() / 1000);
    const right = { org_id: org, sub, permissions, iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 3600 };
    const all = Object.entries({ ...right, ...claims }).filter(([, value]) => value !== undefined);
    return sign(Object.fromEntries(all), key, { algorithm: 'RS256', ...options });
  }

  /** A token with the right claims, signed with HMAC. */
  tokenBySecret(secret: string): string {
    const [, payload] = this.token().split('.');
    const signed = `${Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url')}.${payload}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  }
}
