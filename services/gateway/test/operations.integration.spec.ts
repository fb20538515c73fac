import { once } from 'node:events';
import { connect } from 'node:net';
import { EXAMPLE, GetOperation, newId, OperationFailed, OperationSucceeded } from '@reprise/contracts';
import { type Answered, GatewayUnderTest, Refuse, SILENCE, waitFor } from './support';

let gateway: GatewayUnderTest;
/** The operations that the stand-in for lifecycle knows. */
const statuses = new Map<string, string>();

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  await gateway.others.answer(GetOperation, ({ data }) => {
    const status = statuses.get(data.operation_id);
    if (status === 'lost') return SILENCE;
    return status ? { id: data.operation_id, status } : new Refuse('operation_not_found');
  });
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.others.forget());

const looks = (id: string) => gateway.others.of(GetOperation).filter(({ data }) => data.operation_id === id).length;

function begun(): string {
  const id = newId('operation');
  statuses.set(id, 'running');
  return id;
}

/** Seconds: those who wait for 30 had their answer before their time was up. Not how fast it is, which is the benchmark's to say. */
const LONG = 25;

async function timed(answer: Promise<Answered>): Promise<[seconds: number, status: unknown]> {
  const start = performance.now();
  const { body } = await answer;
  return [(performance.now() - start) / 1000, body.status];
}

const wait = (id: string, seconds: number) => timed(gateway.call('GET', `/v1/operations/${id}?wait=${seconds}`));
const tellEnd = (id: string, message: typeof OperationSucceeded | typeof OperationFailed) =>
  gateway.others.tell(message, { ...message.example, operation_id: id });

describe('waiting for an operation', () => {
  it.each([
    ['succeeded', OperationSucceeded],
    ['failed', OperationFailed],
  ] as const)('ends as soon as it has %s', async (status, message) => {
    const id = begun();
    const answer = wait(id, 30);
    await waitFor(() => looks(id) >= 1, 'the first look');
    statuses.set(id, status);
    await tellEnd(id, message);
    const [seconds, ended] = await answer;
    expect(ended).toBe(status);
    expect(seconds).toBeLessThan(LONG);
  });

  it('ends for everyone who waits', async () => {
    const id = begun();
    const answers = Array.from({ length: 20 }, () => wait(id, 30));
    await waitFor(() => looks(id) >= 20, 'the first looks');
    statuses.set(id, 'succeeded');
    await tellEnd(id, OperationSucceeded);
    for (const [seconds, status] of await Promise.all(answers)) {
      expect(status).toBe('succeeded');
      expect(seconds).toBeLessThan(LONG);
    }
  });

  it('ends also when the event never comes', async () => {
    const id = begun();
    const answer = wait(id, 30);
    await waitFor(() => looks(id) >= 1, 'the first look');
    statuses.set(id, 'succeeded');
    const [seconds, status] = await answer;
    expect(status).toBe('succeeded');
    expect(seconds).toBeLessThan(LONG);
  });

  it('ends when the time is up, with the operation as it then is', async () => {
    const [seconds, status] = await wait(begun(), 1);
    expect(status).toBe('running');
    expect(seconds).toBeGreaterThan(0.95);
    expect(seconds).toBeLessThan(LONG);
  });

  it('does not begin where it has ended, or where nobody waits', async () => {
    const ended = begun();
    statuses.set(ended, 'failed');
    for (const answer of [wait(ended, 30), timed(gateway.call('GET', `/v1/operations/${begun()}`)), wait(begun(), 0)]) {
      expect((await answer)[0]).toBeLessThan(LONG);
    }
  });

  it('does not begin for an operation that is not there, or whose id cannot be one', async () => {
    for (const id of [newId('operation'), EXAMPLE.workspace, 'nonsense']) {
      const { status, body } = await gateway.call('GET', `/v1/operations/${id}?wait=30`);
      expect([status, body.error.code]).toEqual([404, 'operation_not_found']);
    }
  });

  it('is not disturbed by lifecycle being away for a while', async () => {
    const id = begun();
    const answer = wait(id, 4);
    await waitFor(() => looks(id) >= 1, 'the first look');
    statuses.set(id, 'lost');
    expect((await answer)[1]).toBe('running');
  });

  it('goes on after the connection to the broker was lost', async () => {
    const id = begun();
    const answer = wait(id, 30);
    await waitFor(() => looks(id) >= 1, 'the first look');
    statuses.set(id, 'succeeded');
    await gateway.broker.killConnections('gateway');
    const [seconds, status] = await answer;
    expect(status).toBe('succeeded');
    expect(seconds).toBeLessThan(LONG);
  });

  it('ends when the caller hangs up', async () => {
    const id = begun();
    const caller = new AbortController();
    const answer = gateway.call('GET', `/v1/operations/${id}?wait=60`, { signal: caller.signal });
    await waitFor(() => looks(id) >= 1, 'the first look');
    caller.abort();
    await expect(answer).rejects.toThrow();
    const other = begun();
    statuses.set(other, 'succeeded');
    // In the end, nothing that happens to it makes anyone look.
    await waitFor(async () => {
      const seen = looks(id);
      await tellEnd(id, OperationSucceeded);
      await wait(other, 30);
      return looks(id) === seen;
    }, 'the end of the wait');
  });

  it('ends, with an answer, when the gateway is told to stop, which no silent connection delays', async () => {
    const id = begun();
    const answer = wait(id, 60);
    await waitFor(() => looks(id) >= 1, 'the first look');
    const silent = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    await once(silent, 'connect');
    await Promise.all([gateway.app.close(), once(silent, 'close')]);
    const [seconds, status] = await answer;
    expect(status).toBe('running');
    expect(seconds).toBeLessThan(5);
  });
});
