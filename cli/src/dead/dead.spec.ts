import type { ReplayView } from '@reprise/contracts';
import { record } from '../testing/recorder';
import { chosenBy, confirmed } from './chosen';
import { bar, summary } from './follow';
import type { DeadLetterApi } from './dead-letter-api';

const replay: ReplayView = {
  id: 'rpl_1',
  status: 'done',
  rate_per_second: 1,
  requested_by: 'olga',
  created_at: '',
  finished_at: null,
  total: 4,
  pending: 2,
  done: 1,
  failed_again: 1,
  discarded: 0,
  cancelled: 0,
  last_error: null,
};

describe('reprise dead', () => {
  it.each([
    ['a replay of nothing', ['replay']],
    ['ids and a filter', ['replay', 'dl_1', '--type', 'a']],
    ['a status that does not exist', ['list', '--status', 'asleep']],
    ['a rate that is none', ['replay', 'dl_1', '--rate', 'fast']],
    ['discarding without a reason', ['discard', 'dl_1']],
    ['data that are not JSON', ['edit', 'dl_1', '--data', '{', '--reason', 'x']],
  ])('%s is wrong usage', async (_, args) => {
    const env = { GATEWAY_URL: 'http://127.0.0.1:1', REPRISE_TOKEN: 't' };
    expect(await record(['dead', ...args], env)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^reprise: .+\n$/) });
  });

  it('says that the gateway does not answer', async () => {
    expect(await record(['dead', 'list'], { GATEWAY_URL: 'http://127.0.0.1:1', REPRISE_TOKEN: 't' })).toMatchObject({ code: 3, out: '' });
  });
});

describe('more than one dead letter', () => {
  const api = { waiting: () => Promise.resolve(7), mustKnow: () => Promise.resolve() } as unknown as DeadLetterApi;
  const many = chosenBy([], { type: 'a' });
  const at = (answer?: string) => ({
    env: {},
    cwd: '/',
    out: () => undefined,
    err: () => undefined,
    ...(answer === undefined ? {} : { ask: () => Promise.resolve(answer) }),
  });

  it('needs a yes, or --yes', async () => {
    expect(await confirmed(at('y'), api, many, 'replay', false)).toBe(7);
    expect(await confirmed(at(), api, many, 'replay', true)).toBe(7);
    expect(await confirmed(at(), api, chosenBy(['dl_1'], {}), 'replay', false)).toBe(1);
    await expect(confirmed(at(''), api, many, 'replay', false)).rejects.toThrow('nothing was done');
    await expect(confirmed(at(), api, chosenBy(['dl_1', 'dl_2'], {}), 'replay', false)).rejects.toThrow('--yes');
  });
});

it('a replay is shown by how far it is', () => {
  expect(bar(replay)).toBe('[###############...............] 2/4, 1 failed again');
  expect(summary(replay)).toEqual(['rpl_1 done: 4 dead letters, 1 done, 1 failed again, 2 pending']);
});
