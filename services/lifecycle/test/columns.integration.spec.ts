import { runMigrations } from '@reprise/platform/migrations';
import type { DataSource } from 'typeorm';
import { TestDatabase } from '../../../libs/messaging/test/support';
import { MIGRATIONS, SCHEMA } from '../src/migrations';
import { OperationEntity } from '../src/operations/operation.entity';
import { ProviderEntity } from '../src/providers/provider.entity';
import { RoleEntity } from '../src/roles/role.entity';
import { TaskEntity } from '../src/tasks/task.entity';
import { columnsOf } from '../src/transactions/columns.repository';
import { WorkspaceEntity } from '../src/workspaces/workspace.entity';

let database: TestDatabase;
let connection: DataSource;

beforeAll(async () => {
  database = await TestDatabase.create();
  connection = await database.connect(SCHEMA);
  await runMigrations({ url: database.url, schema: SCHEMA, migrations: MIGRATIONS, applicationName: 'test' });
});

afterAll(async () => {
  await connection?.destroy();
  await database?.drop();
});

// Statements list the columns by the entity: one that the entity does not know would be read by none.
it.each([
  ['workspaces', WorkspaceEntity],
  ['operations', OperationEntity],
  ['tasks', TaskEntity],
  ['roles', RoleEntity],
  ['providers', ProviderEntity],
])('knows every column of %s', async (table, entity) => {
  const columns = await connection.query<{ column_name: string }[]>(
    `SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2`,
    [SCHEMA, table],
  );
  expect(columnsOf(entity).split(', ').sort()).toEqual(columns.map(({ column_name }) => column_name).sort());
});

it('names the table that a column is of', () => {
  expect(columnsOf(ProviderEntity, 'p')).toMatch(/^p\.id, p\.org_id, /);
});
