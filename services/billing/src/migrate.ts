import { migrateMain } from '@reprise/platform/migrations';
import { MIGRATIONS, SCHEMA } from './migrations';

void migrateMain({ service: 'billing', schema: SCHEMA, migrations: MIGRATIONS });
