import { MESSAGING_METRICS, OUTBOX_METRICS } from '@reprise/messaging';
import { counter, gauge, type MetricSpec, PLATFORM_METRICS } from '@reprise/platform';

const REASON = 'reason: unparseable, invalid, no_handler, retries_exhausted, message_id_reused, of the broker delivery_limit, or other.';

export const COLLECTED = counter(
  'reprise_dead_letters_collected_total',
  `Dead messages that were taken over from their queues. ${REASON}`,
  ['queue', 'reason'],
);
export const REPLAYED = counter(
  'reprise_dead_letters_replayed_total',
  'Letters that a replay sent. outcome: sent, unroutable (their queue is gone), unconfirmed (they are sent again).',
  ['outcome'],
);
export const WAITING = gauge(
  'reprise_dead_letters',
  `Dead letters that wait for an operator, by the queue that failed. ${REASON} The same from every replica.`,
  ['queue', 'reason'],
);
export const OLDEST = gauge(
  'reprise_dead_letters_oldest_age_seconds',
  'Time since the message that has waited longest for an operator died; 0 where none waits. The same from every replica.',
);
export const REPLAYS = gauge('reprise_replays', 'Replays that have not ended. status: running, paused. The same from every replica.', [
  'status',
]);

export const FIGURES = [WAITING, OLDEST, REPLAYS];

/** Everything that the dead-letter service tells. */
export const METRICS: readonly MetricSpec[] = [
  ...PLATFORM_METRICS,
  ...MESSAGING_METRICS,
  ...OUTBOX_METRICS,
  COLLECTED,
  REPLAYED,
  ...FIGURES,
];
