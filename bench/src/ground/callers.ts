import { readFileSync } from 'node:fs';
import { sign } from 'jsonwebtoken';
import type { State } from './launcher';

/** Who created all that is seeded, and who asks. */
export const SUBJECT = 'bench';
/** Between which workspaces are divided, where nothing else is said. */
export const TENANTS = 100;
const SCOPES = ['workspace:read', 'workspace:write', 'tasks:write', 'caps:write'];
const HOURS = 12;

/** The tenant of this number, from 0. */
export function tenantOf(number: number): string {
  return `bench-${String(number).padStart(3, '0')}`;
}

/** The tokens of the tenants, signed as those of an instance are: RS256, 2048 bits. */
export class Callers {
  readonly tokens: readonly string[];

  constructor(state: State) {
    const key = readFileSync(state.get('JWT_PRIVATE_KEY_FILE'), 'utf8');
    const now = Math.floor(Date.now() / 1_000);
    const known = { sub: SUBJECT, permissions: SCOPES, iss: state.get('JWT_ISSUER'), aud: state.get('JWT_AUDIENCE'), iat: now };
    this.tokens = Array.from({ length: TENANTS }, (_, tenant) =>
      sign({ ...known, org_id: tenantOf(tenant), exp: now + HOURS * 3_600 }, key, { algorithm: 'RS256' }),
    );
  }
}
