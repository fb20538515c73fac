import 'reflect-metadata';
import { migrateMain } from '@reprise/platform';
import { SCHEMA } from './lifecycle.config';
import { MIGRATIONS } from './migrations';

void migrateMain({ service: 'lifecycle', schema: SCHEMA, migrations: MIGRATIONS });
