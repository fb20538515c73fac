import { EXAMPLE, GetOperation, GetTask, newId, TaskEnded, type TaskStatus } from '@reprise/contracts';
import { ALL, expectError, GatewayUnderTest, Refuse, waitFor } from './support';

const WORKSPACE = EXAMPLE.workspace;
const PER_CALLER = 5;
const IN_ALL = 8;

let gateway: GatewayUnderTest;
/** How the tasks that the stand-in for lifecycle knows stand. */
const tasks = new Map<string, TaskStatus>();
const hangUps: AbortController[] = [];

beforeAll(async () => {
  gateway = await GatewayUnderTest.start({ waitsPerCaller: PER_CALLER, waitsInAll: IN_ALL });
  await gateway.others.answer(GetOperation, ({ data }) => ({ id: data.operation_id, status: 'running' }));
  await gateway.others.answer(GetTask, ({ data }) => {
    const status = tasks.get(data.task_id);
    return status ? { id: data.task_id, status } : new Refuse('task_not_found');
  });
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.others.forget());
afterEach(async () => {
  for (const each of hangUps.splice(0)) each.abort();
  // Whoever comes next begins with all places free.
  await waitFor(
    async () => (await Promise.all(Array.from({ length: PER_CALLER }, () => ask('probe', 'op', 1)))).every(isFine),
    'free places',
  );
});

const isFine = ({ status }: { status: number }) => status === 200;
const pathOf = (kind: 'op' | 'task', id?: string) =>
  kind === 'op' ? `/v1/operations/${id ?? newId('operation')}` : `/v1/workspaces/${WORKSPACE}/tasks/${id ?? begun()}`;

function begun(): string {
  const id = newId('task');
  tasks.set(id, 'running');
  return id;
}

function ask(
  sub: string,
  kind: 'op' | 'task',
  seconds: number,
  { id, signal, org_id = 'acme' }: { id?: string; signal?: AbortSignal; org_id?: string } = {},
) {
  return gateway.call('GET', `${pathOf(kind, id)}?wait=${seconds}`, { token: gateway.issuer.token(ALL, { sub, org_id }), signal });
}

/** Requests that wait until the test ends, or until they are hung up on. */
async function hold(sub: string, count: number, org_id?: string): Promise<AbortController[]> {
  const before = looks();
  const callers = Array.from({ length: count }, () => new AbortController());
  hangUps.push(...callers);
  callers.forEach(({ signal }, i) => void ask(sub, i % 2 ? 'task' : 'op', 60, { signal, org_id }).catch(() => undefined));
  await waitFor(() => looks() >= before + count, 'those who wait');
  return callers;
}
const looks = () => gateway.others.of(GetOperation).length + gateway.others.of(GetTask).length;

describe('requests that wait', () => {
  it('are limited for each caller, over operations and tasks together, with 429 beyond', async () => {
    await hold('alice', PER_CALLER);
    for (const kind of ['op', 'task'] as const) {
      const answer = await ask('alice', kind, 60);
      expectError(answer, 429, 'rate_limited');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await ask('alice', kind, 0)).status).toBe(200);
    }
    expect((await ask('bob', 'op', 1)).status).toBe(200);
    expect((await ask('alice', 'op', 1, { org_id: 'other' })).status).toBe(200);
  });

  it('are limited in all', async () => {
    await hold('alice', PER_CALLER);
    await hold('bob', IN_ALL - PER_CALLER);
    expectError(await ask('carol', 'task', 60), 429, 'rate_limited');
    expect((await ask('carol', 'task', 0)).status).toBe(200);
  });

  it('free their places when the caller goes away', async () => {
    const [first, ...others] = await hold('alice', PER_CALLER);
    first?.abort();
    await waitFor(async () => (await ask('alice', 'op', 1)).status === 200, 'the place of one who went');
    for (const each of others) each.abort();
    await waitFor(
      async () => (await Promise.all(Array.from({ length: PER_CALLER }, () => ask('alice', 'op', 1)))).every(isFine),
      'all places',
    );
  });

  it('free their places when they are answered, whatever the answer is', async () => {
    for (let i = 0; i < 3 * IN_ALL; i++) {
      expect((await ask('alice', 'task', 60, { id: newId('task') })).status).toBe(404);
      expect((await ask('alice', 'task', 60, { id: 'nonsense' })).status).toBe(404);
    }
    expect((await ask('alice', 'op', 1)).status).toBe(200);
  });
});

describe('waiting for a task', () => {
  it.each<TaskStatus>(['completed', 'failed', 'cancelled', 'delivery_failed'])('ends as soon as it is %s', async (status) => {
    const id = begun();
    const answer = ask('alice', 'task', 60, { id });
    await waitFor(() => looks() >= 1, 'the first look');
    tasks.set(id, status);
    await gateway.others.tell(TaskEnded, { ...TaskEnded.example, task_id: id, status });
    const { status: code, body } = await answer;
    expect([code, body]).toEqual([200, { id, status }]);
  });

  it('does not begin where it has ended', async () => {
    const id = begun();
    tasks.set(id, 'failed');
    expect((await ask('alice', 'task', 60, { id })).body).toEqual({ id, status: 'failed' });
    expect(looks()).toBe(1);
  });

  it('ends when the time is up, with the task as it then is', async () => {
    const id = begun();
    tasks.set(id, 'delivered');
    expect((await ask('alice', 'task', 1, { id })).body).toEqual({ id, status: 'delivered' });
  });

  it('looks less and less often when no event comes', async () => {
    const id = begun();
    const answer = ask('alice', 'task', 15, { id });
    expect((await answer).status).toBe(200);
    // At once, after 2, 6 and 14 seconds, and at the end.
    expect(looks()).toBeLessThanOrEqual(5);
  });

  it.each(['61', '-1', 'long', '', '1.5', '1e1', '1&wait=2'])('is refused for wait=%s', async (seconds) => {
    const answer = await gateway.call('GET', `${pathOf('task')}?wait=${seconds}`);
    expect(expectError(answer, 400, 'validation_error').fields).toHaveProperty('wait');
  });
});
