export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Which of the tokens it brings. */
  readonly token: number;
}

/** What the load process is asked for. */
export interface LoadOrder {
  /** Without a path. */
  readonly url: string;
  readonly connections: number;
  readonly tokens: readonly string[];
  /** Sent in turn, from the first one; from the first one again when they are used up, unless there is an `amount`, which is never more than these. */
  readonly requests: readonly LoadRequest[];
  /** Whether each brings an idempotency key of its own. */
  readonly keys: boolean;
  /** How many are sent, and for how long at most; one of the two is enough. */
  readonly amount?: number;
  readonly seconds?: number;
  /** So many a second, evenly, whatever the answers do; else each connection sends its next as soon as it has its answer. */
  readonly perSecond?: number;
}

export interface LoadResult {
  /** Answers a second, while all connections were at it. */
  readonly perSecond: number;
  /** How many answers there were of each status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests without an answer. */
  readonly failures: number;
  /** Of the answers, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}
