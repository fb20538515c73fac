import { migrateMain } from '@reprise/platform/database';
import { MIGRATIONS, SCHEMA } from './migrations';

void migrateMain({ service: 'billing', schema: SCHEMA, migrations: MIGRATIONS });
