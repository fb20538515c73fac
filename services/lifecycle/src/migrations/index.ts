import { messagingMigration } from '@reprise/messaging/migration';
import { Lifecycle1764000000000 } from './1764000000000-lifecycle';
import { NothingSticks1764000200000 } from './1764000200000-nothing-sticks';
import { LostMeanwhile1764000300000 } from './1764000300000-lost-meanwhile';
import { RoleRuntime1764000400000 } from './1764000400000-role-runtime';
import { PodLostPolicy1764000500000 } from './1764000500000-pod-lost-policy';
import { StateFrom1765006000000 } from './1765006000000-state-from';
import { Checkpoints1765006000001 } from './1765006000001-checkpoints';
import { KeysOfCallers1765007000000 } from './1765007000000-keys-of-callers';
import { SecretEnv1765007200000 } from './1765007200000-secret-env';
import { WorkspaceFailure1765007300000 } from './1765007300000-workspace-failure';

/** The schema that lifecycle owns. */
export const SCHEMA = 'lifecycle';

/** Every migration of the schema, in order. */
export const MIGRATIONS = [
  messagingMigration(SCHEMA),
  Lifecycle1764000000000,
  NothingSticks1764000200000,
  LostMeanwhile1764000300000,
  RoleRuntime1764000400000,
  PodLostPolicy1764000500000,
  StateFrom1765006000000,
  Checkpoints1765006000001,
  KeysOfCallers1765007000000,
  SecretEnv1765007200000,
  WorkspaceFailure1765007300000,
];
