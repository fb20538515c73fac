/** What makes outbox and inbox: apart from the rest, which is not needed to make them. */
export { HAND_OVER_SECONDS, messagingMigration } from './database/messaging.migration';
