import type { Environment } from '../environment';
import { reasonOf } from '../failure';

export interface ServiceStatus {
  name: string;
  /** `unready`: it lives, and says that something that it needs does not. */
  status: 'up' | 'unready' | 'down';
  detail: string | null;
}

const VARIABLES = {
  gateway: 'GATEWAY_URL',
  lifecycle: 'LIFECYCLE_HEALTH_URL',
  provisioner: 'PROVISIONER_HEALTH_URL',
  billing: 'BILLING_HEALTH_URL',
  deadletters: 'DEADLETTERS_HEALTH_URL',
} as const;

const TIMEOUT_MS = 3_000;

/** How each service is, of those whose address is known. */
export function serviceStatuses(environment: Environment): Promise<ServiceStatus[]> {
  const known = Object.entries(VARIABLES).flatMap(([name, variable]) => {
    const url = environment.get(variable);
    return url ? [{ name, url }] : [];
  });
  return Promise.all(known.map(({ name, url }) => statusOf(name, url)));
}

async function statusOf(name: string, url: string): Promise<ServiceStatus> {
  try {
    const response = await fetch(readiness(url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json().catch(() => null);
    return response.ok
      ? { name, status: 'up', detail: null }
      : { name, status: 'unready', detail: whatIsWrong(body) ?? `HTTP ${response.status}` };
  } catch (error) {
    return { name, status: 'down', detail: reasonOf(error) };
  }
}

/** A service's base address, or a complete one of its own. */
function readiness(url: string): string {
  const { pathname } = new URL(url);
  return pathname === '/' ? new URL('/health/ready', url).toString() : url;
}

/** The readiness report names each thing that the service needs, with its status. */
function whatIsWrong(body: unknown): string | null {
  const details = (body as { details?: Record<string, { status?: string }> } | null)?.details ?? {};
  const names = Object.entries(details).flatMap(([name, { status }]) => (status === 'up' ? [] : [name]));
  return names.length > 0 ? `not ready: ${names.join(', ')}` : null;
}
