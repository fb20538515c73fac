import { type DeadLetterView, type DeadLetterWhole, newId } from '@reprise/contracts';
import { eventually, must, promise, reprise, useStack } from './support';

const stack = useStack();
const RESTART = 'reprise.workspace.restart.v1';
const LETTERS = '/v1/ops/dead-letters';

const operator = () => stack.operators().as('olga', ['ops:read', 'ops:write']);

const dead = (...args: string[]): Promise<string> => reprise(stack, operator().token, ['dead', ...args]);

async function letterOf(messageId: string): Promise<DeadLetterView> {
  return eventually(async () => {
    const { dead_letters } = must(200, await operator().get<{ dead_letters: DeadLetterView[] }>(`${LETTERS}?limit=200`));
    const found = dead_letters.find(({ message_id }) => message_id === messageId);
    expect(found).toBeDefined();
    return found!;
  });
}

promise('a bad message of a publisher is seen by REST and by the command, whole, and discarded for good', async () => {
  const { org } = await stack.tenant();
  const raw = Buffer.from('{"workspace_id": ');
  const id = await stack.publisher.publish({ type: RESTART, org, data: {}, raw });
  const letter = await letterOf(id);
  expect(letter).toMatchObject({
    status: 'open',
    type: RESTART,
    queue: 'lifecycle.commands',
    org_id: org,
    reason: 'unparseable',
    attempts: 1,
  });

  const whole = must(200, await operator().get<DeadLetterWhole>(`${LETTERS}/${letter.id}`));
  expect(whole).toMatchObject({ body: { encoding: 'utf8', content: raw.toString() }, headers: { cloudEvents_orgid: org } });
  expect(await dead('list', '--org', org)).toMatch(new RegExp(`${letter.id} +open .* lifecycle.commands +${RESTART} +unparseable +${org}`));
  expect(await dead('groups', '--org', org)).toContain(letter.group);
  expect(await dead('show', letter.id)).toContain(raw.toString());

  expect(await dead('discard', letter.id, '--reason', 'a slip of the hand')).toBe('1 discarded\n');
  const { status, history } = must(200, await operator().get<DeadLetterWhole>(`${LETTERS}/${letter.id}`));
  expect([status, history.at(-1)]).toEqual([
    'discarded',
    expect.objectContaining({ actor: 'olga', detail: { reason: 'a slip of the hand' } }),
  ]);
  const again = await operator().post(`${LETTERS}/${letter.id}/replay`);
  expect([again.status, again.body.error.code]).toEqual([409, 'dead_letter_settled']);
});

promise('a message that failed because something was wrong here is replayed, and applied once', async () => {
  const { alice, org } = await stack.tenant();
  const { id: workspace_id } = await alice.workspace();
  // The database of lifecycle refuses the restart with an error that is none of the message's fault, and that waiting would not mend.
  await stack.ground.sql(`ALTER TABLE lifecycle.operations ADD CONSTRAINT spoilt CHECK (kind <> 'restart') NOT VALID`);
  const restart = await stack.publisher.publish({ type: RESTART, org, data: { workspace_id }, actor: 'janitor' });
  // As if its three retries, of nearly six minutes, were over.
  await buryWhatWaits(restart);
  const letter = await letterOf(restart);
  expect(letter).toMatchObject({ status: 'open', queue: 'lifecycle.commands', org_id: org });
  expect(await alice.see(workspace_id)).toMatchObject({ status: 'idle', generation: 1 });

  await stack.ground.sql('ALTER TABLE lifecycle.operations DROP CONSTRAINT spoilt');
  expect(await dead('replay', letter.id)).toMatch(/^rpl_\w+ done: 1 dead letters, 1 done\n$/);
  const succeeded = await stack.publisher.event('reprise.operation.succeeded.v1', restart);
  expect(await alice.operation(succeeded.data.operation_id)).toMatchObject({
    kind: 'restart',
    requested_by: 'service:reprise_publisher/janitor',
  });
  expect(await alice.see(workspace_id)).toMatchObject({ status: 'idle', generation: 2 });
  expect(await letterOf(restart)).toMatchObject({ id: letter.id, status: 'replayed', replays: 1, deaths: 1 });

  // Once more, as an operator may by mistake: the same message, which has been applied.
  await stack.ground.sql(`UPDATE deadletters.dead_letters SET status = 'open' WHERE id = $1`, [letter.id]);
  await dead('replay', letter.id);
  await stack.publisher.ask({ type: RESTART, org, data: { workspace_id: newId('workspace') } });
  expect(await alice.see(workspace_id)).toMatchObject({ status: 'idle', generation: 2 });
  expect(
    stack.publisher.eventsAbout(workspace_id, 'reprise.operation.succeeded.v1').filter(({ data }) => data.kind === 'restart'),
  ).toHaveLength(1);
});

promise('a token of a tenant sees nothing of it, and a replay of nothing does nothing', async () => {
  const { alice } = await stack.tenant();
  expect((await alice.get(LETTERS)).status).toBe(403);
  await expect(dead('replay', '--type', RESTART, '--status', 'discarded')).resolves.toMatch(/0 dead letters/);
});

/** Moves a message from the first retry queue of lifecycle to its dead letters, as lifecycle does after the last attempt. */
async function buryWhatWaits(id: string): Promise<void> {
  const lifecycle = await stack.brokerUser('lifecycle');
  const waiting = await eventually(async () => {
    const [found] = await lifecycle.drain('lifecycle.commands.retry.5s');
    expect(found?.id).toBe(id);
    return found!;
  });
  await lifecycle.publish({
    type: waiting.type,
    exchange: 'reprise.dead',
    routingKey: 'lifecycle.commands',
    data: waiting.data,
    id,
    properties: { correlationId: waiting.correlationId, headers: { ...waiting.headers, 'x-reprise-dead-reason': 'retries_exhausted' } },
  });
}
