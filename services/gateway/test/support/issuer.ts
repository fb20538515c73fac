import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sign, type SignOptions } from 'jsonwebtoken';

export const ISSUER = 'https://issuer.test/';
export const AUDIENCE = 'reprise';

/** An issuer of tokens whose public key stands in a file. */
export class TestIssuer {
  readonly keyFile: string;
  readonly publicKey: KeyObject;
  private readonly directory = mkdtempSync(join(tmpdir(), 'reprise-issuer-'));
  private readonly privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.publicKey = publicKey;
    this.privateKey = privateKey;
    this.keyFile = join(this.directory, 'key.pem');
    writeFileSync(this.keyFile, this.pem);
  }

  get pem(): string {
    return this.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  /** A good token of alice of acme with these permissions, unless said otherwise. */
  token(permissions: readonly string[], claims: object = {}, options: SignOptions = {}): string {
    return this.sign({ sub: 'alice', org_id: 'acme', permissions, ...claims }, options);
  }

  /** A token of exactly these claims. */
  sign(claims: object, options: SignOptions = {}): string {
    const all = { algorithm: 'RS256', issuer: ISSUER, audience: AUDIENCE, expiresIn: 300, ...options } as const;
    // jsonwebtoken takes an option that is there but undefined for a wrong one.
    return sign(claims, this.privateKey, Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
