import { migrateMain } from '@reprise/platform/migrations';
import { MIGRATIONS, SCHEMA } from './migrations';

void migrateMain({ service: 'provisioner', schema: SCHEMA, migrations: MIGRATIONS });
