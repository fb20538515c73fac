import { messagingMigration } from '@reprise/messaging';
import type { MigrationClass } from '@reprise/platform';
import { SCHEMA } from '../provisioner.config';
import { Provisioner1764000000000 } from './1764000000000-provisioner';
import { InterruptedTasks1764000100000 } from './1764000100000-interrupted-tasks';

/** In the order in which they are run. */
export const MIGRATIONS: readonly MigrationClass[] = [messagingMigration(SCHEMA), Provisioner1764000000000, InterruptedTasks1764000100000];
