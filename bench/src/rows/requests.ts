import type { Bench } from '../bench';
import { TENANTS } from '../ground/callers';
import { seededWorkspace } from '../ground/seed';
import type { LoadOrder, LoadRequest } from '../load/load-order';

export const CONNECTIONS = 64;

/** A restart of each of these workspaces, from this number on, by its tenant. */
export function restarts(count: number, from = 0): LoadRequest[] {
  return numbers(count, from).map((number) => ({
    method: 'POST',
    path: `/v1/workspaces/${seededWorkspace(number)}/restart`,
    token: number % TENANTS,
  }));
}

/** A look at each of these workspaces. */
export function reads(count: number, tenants: number): LoadRequest[] {
  return numbers(count, 0).map((number) => ({ method: 'GET', path: `/v1/workspaces/${seededWorkspace(number)}`, token: number % tenants }));
}

/** Load on the gateway, or on what stands in its place. */
export function orderOf(
  bench: Bench,
  url: string,
  rest: Omit<LoadOrder, 'url' | 'tokens' | 'connections'> & { connections?: number },
): LoadOrder {
  return { url, tokens: bench.callers.tokens, connections: CONNECTIONS, ...rest };
}

function numbers(count: number, from: number): number[] {
  return Array.from({ length: count }, (_, n) => from + n);
}
