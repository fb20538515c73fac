import { migrateMain } from '@reprise/platform/migrations';
import { MIGRATIONS, SCHEMA } from './migrations';

void migrateMain({ service: 'deadletters', schema: SCHEMA, migrations: MIGRATIONS });
