import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Type } from '@nestjs/common';
import { DeadLettersController } from '../dead-letters/dead-letters.controller';
import { ReplaysController } from '../dead-letters/replays.controller';
import { OperationsController } from '../operations/operations.controller';
import { ProvidersController } from '../providers/providers.controller';
import { RolesController } from '../roles/roles.controller';
import { TasksController } from '../tasks/tasks.controller';
import { OperatedWorkspacesController } from '../workspaces/operated-workspaces.controller';
import { WorkspacesController } from '../workspaces/workspaces.controller';

/** What the description of the API is made of, in its order. */
export const CONTROLLERS: readonly Type[] = [
  WorkspacesController,
  OperationsController,
  TasksController,
  RolesController,
  ProvidersController,
  DeadLettersController,
  ReplaysController,
  OperatedWorkspacesController,
];

/** Of the program that keeps this contract. What changed in it from one to the next is in CHANGELOG.md. */
export const VERSION = (JSON.parse(readFileSync(resolve(__dirname, '../../package.json'), 'utf8')) as { version: string }).version;
