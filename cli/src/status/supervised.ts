import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Environment } from '../environment';

/** What the supervisor of `npm start` writes down of a service (scripts/lib/supervised.mjs). */
export interface SupervisedService {
  pid: number | null;
  started_at: string;
  restarts: number;
  last_end: { how: string; at: string } | null;
}

/** By name; empty for an instance that `npm start` does not run. */
export function supervisedServices(environment: Environment): Map<string, SupervisedService> {
  if (environment.file === undefined || environment.get('INSTANCE_ID') === undefined) return new Map();
  try {
    const text = readFileSync(join(dirname(environment.file), 'services.json'), 'utf8');
    return new Map(Object.entries(JSON.parse(text) as Record<string, SupervisedService>));
  } catch {
    // An older start wrote none.
    return new Map();
  }
}
