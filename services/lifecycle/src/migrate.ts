import 'reflect-metadata';
import { migrateMain } from '@reprise/platform/database';
import { SCHEMA } from './lifecycle.config';
import { MIGRATIONS } from './migrations';

void migrateMain({ service: 'lifecycle', schema: SCHEMA, migrations: MIGRATIONS });
