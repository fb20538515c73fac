import { migrateMain } from '@reprise/platform/database';
import { MIGRATIONS } from './migrations';
import { SCHEMA } from './provisioner.config';

void migrateMain({ service: 'provisioner', schema: SCHEMA, migrations: MIGRATIONS });
