/** CloudEvents 1.0 in binary mode: the one thing that this library takes from the contracts, so that the mapping stands once. */
export { CE_HEADER as CE } from '@reprise/contracts/cloud-events';

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
  /** How often an operator has put the message back among the living. */
  replays: 'x-reprise-replays',
  /** Which headers of the message could not be read. Set when it is received; such a message is refused. */
  unreadable: 'x-reprise-unreadable',
  /** Which headers of the message could not be carried along when it was published again. */
  leftOut: 'x-reprise-left-out',
  /** In a reply: the message id of what it answers. */
  requestId: 'x-reprise-request-id',
} as const;
