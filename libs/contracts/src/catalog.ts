import { BILLING_MESSAGES } from './messages/billing';
import { DEAD_LETTER_MESSAGES } from './messages/dead-letters';
import { LIFECYCLE_EVENTS } from './messages/lifecycle-events';
import type { MessageClass } from './messages/message';
import { OPERATOR_COMMANDS } from './messages/operator-commands';
import { POD_COMMANDS } from './messages/pod-commands';
import { POD_EVENTS } from './messages/pod-events';
import { PROVIDER_COMMANDS } from './messages/provider-commands';
import { QUERIES } from './messages/queries';
import { ROLE_COMMANDS } from './messages/role-commands';
import { TASK_COMMANDS } from './messages/task-commands';
import { WORKSPACE_COMMANDS } from './messages/workspace-commands';

/** Every message there is. */
export const MESSAGES: readonly MessageClass[] = [
  ...WORKSPACE_COMMANDS,
  ...TASK_COMMANDS,
  ...ROLE_COMMANDS,
  ...PROVIDER_COMMANDS,
  ...OPERATOR_COMMANDS,
  ...POD_COMMANDS,
  ...POD_EVENTS,
  ...LIFECYCLE_EVENTS,
  ...BILLING_MESSAGES,
  ...QUERIES,
  ...DEAD_LETTER_MESSAGES,
];

/** The class of each type. */
export const CATALOG: ReadonlyMap<string, MessageClass> = new Map(MESSAGES.map((m) => [m.type, m]));
