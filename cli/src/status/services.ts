import type { Environment } from '../environment';
import { reasonOf } from '../failure';
import { supervisedServices } from './supervised';

export interface ServiceStatus {
  name: string;
  /** `unready`: it lives, and says that something that it needs does not. `silent`: it takes connections, and does not answer. */
  status: 'up' | 'unready' | 'silent' | 'down';
  detail: string | null;
  /** What it says it lacks. */
  lacks: string[];
  /** Of an instance that `npm start` runs; null for any other, and while there is no process. */
  pid: number | null;
  /** How often it was started again since the instance was started; null where nobody counts. */
  restarts: number | null;
  last_end: { how: string; at: string } | null;
}

const VARIABLES = {
  gateway: 'GATEWAY_URL',
  lifecycle: 'LIFECYCLE_HEALTH_URL',
  provisioner: 'PROVISIONER_HEALTH_URL',
  billing: 'BILLING_HEALTH_URL',
  deadletters: 'DEADLETTERS_HEALTH_URL',
} as const;

/** A service's own checks have 2 s; what answers later than this is of no use to anybody. */
const TIMEOUT_MS = 4_000;

/** How each service is, of those whose address is known. */
export function serviceStatuses(environment: Environment): Promise<ServiceStatus[]> {
  const supervised = supervisedServices(environment);
  const known = Object.entries(VARIABLES).flatMap(([name, variable]) => {
    const url = environment.get(variable);
    return url ? [{ name, url }] : [];
  });
  return Promise.all(
    known.map(async ({ name, url }) => {
      const { pid = null, restarts = null, last_end = null } = supervised.get(name) ?? {};
      return { name, ...(await healthOf(url)), pid, restarts, last_end };
    }),
  );
}

async function healthOf(url: string): Promise<Pick<ServiceStatus, 'status' | 'detail' | 'lacks'>> {
  try {
    const response = await fetch(readiness(url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json().catch(() => null);
    if (response.ok) return { status: 'up', detail: null, lacks: [] };
    const lacks = whatIsDown(body);
    return { status: 'unready', detail: lacks.length > 0 ? `not ready: ${lacks.join(', ')}` : `HTTP ${response.status}`, lacks };
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return { status: 'silent', detail: `no answer within ${TIMEOUT_MS / 1000} s`, lacks: [] };
    return { status: 'down', detail: reasonOf(error), lacks: [] };
  }
}

/** A service's base address, or a complete one of its own. */
function readiness(url: string): string {
  const { pathname } = new URL(url);
  return pathname === '/' ? new URL('/health/ready', url).toString() : url;
}

/** The readiness report names each thing that the service needs, with its status. */
function whatIsDown(body: unknown): string[] {
  const details = (body as { details?: Record<string, { status?: string }> } | null)?.details ?? {};
  return Object.entries(details).flatMap(([name, { status }]) => (status === 'up' ? [] : [name]));
}
