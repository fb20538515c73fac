import { Command, InvalidArgumentError } from 'commander';
import { SCOPES, type Scope } from '@reprise/contracts';
import { environmentOf } from '../environment';
import { answer, type Terminal } from '../terminal';
import { signToken } from '../tokens/sign-token';

interface Options {
  org: string;
  sub: string;
  permissions: Scope[];
  ttl: number;
  json?: true;
  envFile?: string;
}

const TWELVE_HOURS = 43_200;

/** `reprise token`: prints a token and nothing else. */
export function tokenVerb(terminal: Terminal): Command {
  return new Command('token')
    .description('Print a bearer token to try the API with (embedded mode only).')
    .requiredOption('--org <org>', 'the organization that the token belongs to', named)
    .requiredOption('--sub <caller>', 'who the token speaks for', named)
    .requiredOption('--permissions <scopes>', `comma-separated: ${SCOPES.join(', ')}`, scopes)
    .option('--ttl <time>', 'how long it is good for: a number and s, m, h or d (default: 12h)', seconds, TWELVE_HOURS)
    .option('--json', 'print { token, expires_at }')
    .action((_, command: Command) => {
      const { org, sub, permissions, ttl, json, envFile } = command.optsWithGlobals<Options>();
      const token = signToken(environmentOf(terminal, envFile), { org, sub, permissions, ttlSeconds: ttl });
      const expiresAt = new Date(Math.floor(Date.now() / 1000 + ttl) * 1000).toISOString();
      answer(terminal, json === true, { token, expires_at: expiresAt }, [token]);
    });
}

function named(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** @throws InvalidArgumentError naming the scope that does not exist */
export function scopes(text: string): Scope[] {
  return text.split(',').map((part) => {
    const scope = SCOPES.find((known) => known === part.trim());
    if (!scope) throw new InvalidArgumentError(`There is no permission "${part.trim()}"; there are ${SCOPES.join(', ')}.`);
    return scope;
  });
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** @throws InvalidArgumentError */
export function seconds(text: string): number {
  const [, digits, unit] = /^([1-9][0-9]{0,8})([smhd])$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) throw new InvalidArgumentError('It must be like 45s, 30m, 12h or 7d.');
  return Number(digits) * (UNITS[unit] ?? 1);
}
