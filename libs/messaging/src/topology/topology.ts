/** The shapes that the contract library's values have. Only shapes: this library knows no name of an exchange, a queue or a message. */

export interface ExchangeSpec {
  name: string;
  type: 'topic' | 'direct';
}

export interface BindingSpec {
  exchange: string;
  routingKey: string;
}

/**
 * `work`: a quorum queue with its retry queues and its dead-letter queue; nothing in it is ever lost.
 * `query`: a classic queue of messages that are not persistent; what waits in it longer than its asker does is dropped.
 */
export interface QueueSpec {
  name: string;
  kind: 'work' | 'query';
  bindings: readonly BindingSpec[];
}

/** The two exchanges that this library itself publishes to; both are direct, their routing keys are names of queues. */
export interface TopologyNames {
  retry: string;
  dead: string;
}

export interface Topology {
  exchanges: readonly ExchangeSpec[];
  queues: readonly QueueSpec[];
}

/** A fixed delay before a message is tried again: one queue each, since a per-message TTL waits behind whatever is before it (measured). */
export interface RetryDelay {
  /** The last part of the queue's name: `Q.retry.<label>`. */
  label: string;
  ms: number;
}

/** The delays after the first, the second and the third failed attempt; after the fourth a message is dead. */
export const RETRY_DELAYS: readonly RetryDelay[] = [
  { label: '5s', ms: 5_000 },
  { label: '30s', ms: 30_000 },
  { label: '5m', ms: 300_000 },
];

/** A query older than this has nobody waiting for it. */
export const QUERY_TTL_MS = 30_000;

/** Deliveries that may end without any answer (a crash, a lost connection) before the broker itself takes the message out. */
export const DELIVERY_LIMIT = 20;

export const retryQueueOf = (queue: string, label: string): string => `${queue}.retry.${label}`;
export const deadQueueOf = (queue: string): string => `${queue}.dead`;
