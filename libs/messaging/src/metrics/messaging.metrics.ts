import { counter, gauge, histogram, type MetricSpec } from '@reprise/platform';

const WORK_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export const HANDLED = counter(
  'messaging_messages_handled_total',
  'Deliveries that came to an end. outcome: done, refused (code: of the refusal), retried (code: expected, unexpected: an error that nobody foresaw, or waiting: another service does not answer), dead (code: the reason), failed (a query; code: the reason), requeued (given back to the broker). type: `unknown` where the catalogue does not have it.',
  ['queue', 'type', 'outcome', 'code'],
);
export const HANDLING_DURATION = histogram(
  'messaging_message_handling_duration_seconds',
  'Time from a delivery to its end, with the time for which it was held because the database was away.',
  ['queue', 'type'],
  WORK_SECONDS,
);
export const IN_PROGRESS = gauge('messaging_messages_in_progress', 'Deliveries in the hands of this process.', ['queue']);
export const AGE = histogram(
  'messaging_message_age_seconds',
  'Time from when a message was made, as its sender says, to its first delivery: what it waited in the outbox and in the queue.',
  ['queue'],
  [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
);
export const PUBLISHED = counter(
  'messaging_messages_published_total',
  'Messages that were given to the broker. outcome: confirmed, unroutable (no queue took it), unconfirmed (not known to be there; it is sent again).',
  ['exchange', 'outcome'],
);
export const REQUEST_DURATION = histogram(
  'messaging_request_duration_seconds',
  'Time from a request to its answer. outcome: done, refused, failed, timeout (no answer came), unavailable (nobody to answer).',
  ['type', 'outcome'],
  WORK_SECONDS,
);
export const CONNECTED = gauge(
  'messaging_broker_connected',
  'Whether this process is connected to the broker and may publish (1) or not (0).',
);
export const QUEUE_MESSAGES = gauge(
  'messaging_queue_messages',
  'Messages that are ready in a queue of this service, its retry and dead-letter queues included. The same from every replica.',
  ['queue'],
);
export const QUEUE_CONSUMERS = gauge(
  'messaging_queue_consumers',
  'Consumers of a queue of this service; a retry queue has none by design and is left out. The same from every replica.',
  ['queue'],
);

/** What every service tells that speaks to the broker. */
export const MESSAGING_METRICS: readonly MetricSpec[] = [
  HANDLED,
  HANDLING_DURATION,
  IN_PROGRESS,
  AGE,
  PUBLISHED,
  REQUEST_DURATION,
  CONNECTED,
  QUEUE_MESSAGES,
  QUEUE_CONSUMERS,
];

/** More than these are told as so many: to count them all would take the longer the worse it is. */
export const MOST_COUNTED = 10_000;

export const OUTBOX_MESSAGES = gauge(
  'messaging_outbox_messages',
  `Messages in the outbox that the broker is not known to have; no more than ${MOST_COUNTED} are counted. The same from every replica.`,
);
export const OUTBOX_AGE = gauge(
  'messaging_outbox_oldest_age_seconds',
  'Time since the oldest message in the outbox was written; 0 where it is empty. The same from every replica.',
);

/** What a service with an outbox tells besides. */
export const OUTBOX_METRICS: readonly MetricSpec[] = [OUTBOX_MESSAGES, OUTBOX_AGE];
