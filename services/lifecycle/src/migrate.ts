import { migrateMain } from '@reprise/platform/migrations';
import { MIGRATIONS, SCHEMA } from './migrations';

void migrateMain({ service: 'lifecycle', schema: SCHEMA, migrations: MIGRATIONS });
