/** CloudEvents 1.0 in binary mode on AMQP 0-9-1; the whole mapping is in docs/messages.md. */
export const CE = {
  specversion: 'cloudEvents_specversion',
  time: 'cloudEvents_time',
  source: 'cloudEvents_source',
  subject: 'cloudEvents_subject',
  orgId: 'cloudEvents_orgid',
  actor: 'cloudEvents_actor',
  traceparent: 'traceparent',
} as const;

/** Headers of our own, which say what happened to a message on its way. Never trusted further than the broker user that set them. */
export const HEADER = {
  /** How many attempts have failed. Ours, since RabbitMQ 4 ignores an `x-death` that a client sends. */
  attempts: 'x-reprise-attempts',
  firstFailure: 'x-reprise-first-failure',
  lastFailure: 'x-reprise-last-failure',
  deadReason: 'x-reprise-dead-reason',
  exception: 'x-reprise-exception',
  stack: 'x-reprise-stack',
  sourceQueue: 'x-reprise-source-queue',
  /** The broker user that sent the message first: publishing it again puts the republisher's own into `user-id`. */
  userId: 'x-reprise-user-id',
  /** Epoch milliseconds after which nobody waits for the answer. */
  deadline: 'x-reprise-deadline',
  /** In a reply: the message id of what it answers. */
  requestId: 'x-reprise-request-id',
} as const;
