import { GetOperation, GetRole, GetTask, GetWorkspace, ListProviders, ListWorkspaces, newId } from '@reprise/contracts';
import type { MessageContext } from '@reprise/messaging';
import { queryOf } from '../src/commands/from-context';
import { World } from './support/world';

let world: World;

beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world?.close());

it.each([
  [GetWorkspace, { workspace_id: newId('workspace') }],
  [ListWorkspaces, { include_archived: false, limit: 5 }],
  [GetOperation, { operation_id: newId('operation') }],
  [GetTask, { workspace_id: newId('workspace'), task_id: newId('task') }],
  [GetRole, { role_id: newId('role') }],
  [ListProviders, { include_archived: false, limit: 5 }],
])('the gateway must name a caller: %p', async (message, data) => {
  // The world asks under the gateway's login.
  await expect(world.ask(message, { ...data, caller: undefined })).rejects.toThrow(/caller must be given by the gateway/);
});

it('anyone else may leave the caller out, or narrow what is answered to one', () => {
  const context = { userId: 'reprise_publisher' } as MessageContext;
  for (const query of [{}, { caller: { sub: 'bob', own_only: true } }]) expect(queryOf(query, context, 'reprise_gateway')).toEqual(query);
  expect(queryOf({ caller: null, cursor: null, limit: 5 } as never, context, 'reprise_gateway')).toEqual({ limit: 5 });
});
