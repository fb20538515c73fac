import { migrateMain } from '@reprise/platform/database';
import { MIGRATIONS, SCHEMA } from './migrations';

void migrateMain({ service: 'deadletters', schema: SCHEMA, migrations: MIGRATIONS });
