import { AgentError, type AgentErrorReason } from '../pods/agent-client.types';
import type { PodHandle } from '../pods/pod-driver';
import type { PodCredentials } from '../pods/pod-credentials';
import type { StoreSettings } from '../snapshot-store.config';
import type { SnapshotLimits } from '../snapshots/limits';
import { SnapshotStoreError, type SnapshotStoreErrorReason } from '../snapshots/snapshot-store';
import type { SnapshotRecord } from '../snapshots/snapshots';

/** What the thread is told when it begins. */
export interface ThreadData {
  readonly store: StoreSettings;
  readonly limits: SnapshotLimits;
}

/** A pod with what its agent accepts. */
export interface PodWithCredentials extends PodHandle {
  readonly credentials: [PodCredentials, ...PodCredentials[]];
}

/** What is to be made. */
export type Transfer =
  | { readonly do: 'save'; readonly pod: PodWithCredentials; readonly key: string }
  | { readonly do: 'verify'; readonly record: SnapshotRecord }
  | { readonly do: 'restore'; readonly pod: PodWithCredentials; readonly record: SnapshotRecord };

/** To the thread: a transfer that is to be made, or given up. Each has a number, by which it is spoken of. */
export type Order = { readonly id: number } & (Transfer | { readonly do: 'abort' });

/** From the thread: how a transfer ended, or what its store did meanwhile. */
export type Told =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly duration: { readonly labels: Record<'call' | 'outcome', string>; readonly seconds: number } }
  | { readonly storedBytes: number };

/** An error as it can be sent: a copy of one is an `Error` and nothing else. */
export type Failure =
  | { readonly of: 'agent'; readonly reason: AgentErrorReason; readonly detail: string; readonly answer?: AgentError['answer'] }
  | { readonly of: 'store'; readonly reason: SnapshotStoreErrorReason; readonly detail: string }
  | { readonly of: 'other'; readonly name: string; readonly message: string; readonly code?: string };

export function asFailure(error: unknown): Failure {
  if (error instanceof AgentError) {
    const { reason, detail, answer } = error;
    return { of: 'agent', reason, detail, ...(answer ? { answer } : {}) };
  }
  if (error instanceof SnapshotStoreError) return { of: 'store', reason: error.reason, detail: error.detail };
  const { name, message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  return { of: 'other', name, message, ...(typeof code === 'string' ? { code } : {}) };
}

export function asError(failure: Failure): Error {
  switch (failure.of) {
    case 'agent':
      return new AgentError(failure.reason, failure.detail, failure.answer);
    case 'store':
      return new SnapshotStoreError(failure.reason, failure.detail);
    case 'other':
      return Object.assign(new Error(failure.message), { name: failure.name }, failure.code === undefined ? {} : { code: failure.code });
  }
}
