import { messagingMigration } from '@reprise/messaging/migration';
import type { MigrationClass } from '@reprise/platform/migrations';
import { DeadLetters1763740800000 } from './1763740800000-dead-letters';
import { AnswersOfOperators1765007100000 } from './1765007100000-answers-of-operators';

/** The one schema that this service owns. */
export const SCHEMA = 'deadletters';

/** Every migration, in order; a new one goes to the end. */
export const MIGRATIONS: readonly MigrationClass[] = [
  messagingMigration(SCHEMA),
  DeadLetters1763740800000,
  AnswersOfOperators1765007100000,
];
