import { randomUUID } from 'node:crypto';
import type { DeadLetterView } from '@reprise/contracts';
import { type Caller, must } from '../caller';
import { eventually } from '../eventually';
import type { Stack } from '../stack';
import { ALL_SCOPES } from '../tokens';
import type { Known } from './requests';

/** Settings under which no limit of an installation is below what the document allows, and nobody sends too much. */
export const SETTINGS = {
  gateway: { RATE_LIMIT_PER_MINUTE: '60000' },
  lifecycle: { ROLE_MAX_CPUS: '1024', ROLE_MAX_MEMORY_MB: '16777216', ROLE_MAX_PIDS: '1000000', ROLE_MAX_DISK_MB: '1073741824' },
  deadletters: { EDIT_DEAD_LETTERS: 'true' },
};

/** Settings of lifecycle under which a role may ask for next to nothing. */
export const TIGHT = {
  ROLE_MAX_CPUS: '1',
  ROLE_MAX_MEMORY_MB: '96',
  ROLE_MAX_PIDS: '32',
  ROLE_MAX_DISK_MB: '16',
  ROLE_IMAGE_PREFIXES: 'registry.example/',
};

/** One thing of each kind, and who may do everything with all of them. Whatever is done to them, no pod is made. */
export interface World {
  caller: Caller;
  known: Known;
  workspace: string;
}

export async function makeWorld(stack: Stack): Promise<World> {
  const tenant = stack.operators();
  await tenant.posture('active');
  const caller = tenant.as('olga', [...ALL_SCOPES, 'ops:read', 'ops:write']);
  const [past, present] = [await caller.role(), await caller.role()];
  const { id: workspace } = await caller.workspace({ role_id: past.id });
  const { id: task } = await caller.run(workspace, 'true');
  const { id: operation } = await caller.stop(workspace);
  // A workspace of an archived role cannot be brought up.
  must(200, await caller.post(`/v1/agent-roles/${past.id}/archive`));
  const letter = await deadLetter(stack, caller);
  const { id: replay } = must(202, await caller.post<{ id: string }>(`/v1/ops/dead-letters/${letter}/replay`));
  return {
    caller,
    workspace,
    known: {
      path: {
        workspace_id: workspace,
        operation_id: operation,
        task_id: task,
        role_id: present.id,
        provider_id: present.provider_id,
        dead_letter_id: letter,
        replay_id: replay,
      },
      // A role of this provider can be made whatever becomes of the other one.
      body: { role_id: past.id, role_name: past.name, provider_id: past.provider_id },
    },
  };
}

async function deadLetter(stack: Stack, caller: Caller): Promise<string> {
  const id = await stack.publisher.publish({ type: 'reprise.workspace.restart.v1', org: caller.org, data: { nope: 1 }, id: randomUUID() });
  return eventually(async () => {
    const { dead_letters } = must(200, await caller.get<{ dead_letters: DeadLetterView[] }>('/v1/ops/dead-letters'));
    const found = dead_letters.find(({ message_id }) => message_id === id);
    expect(found).toBeDefined();
    return found!.id;
  });
}
