import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DeadLetterGroupView, DeadLetterWhole } from '@reprise/contracts';
import { record } from '../testing/recorder';

const group = (name: string, count: number, day: number, more: Partial<DeadLetterGroupView> = {}): DeadLetterGroupView => ({
  group: name,
  type: 'reprise.workspace.restart.v1',
  queue: 'lifecycle.commands',
  reason: 'invalid',
  exception: 'force must be a boolean value',
  count,
  first_failed_at: `2026-11-0${day}T00:00:00.000Z`,
  last_failed_at: `2026-11-0${day}T12:00:00.000Z`,
  ...more,
});

/** What the gateway would answer: the groups of letters in each status. */
const GROUPS: Record<string, DeadLetterGroupView[]> = {
  open: [group('a', 2, 2), group('b', 4, 3)],
  failed_again: [group('a', 3, 1)],
  discarded: [group('c', 9, 4)],
};
const LETTER = {
  id: 'dl_1',
  status: 'open',
  reason: 'invalid',
  exception: 'force must be a boolean value',
  sender: 'reprise_publisher',
  stack: 'DeadLetter: force must be a boolean value\n    at one',
  headers: { 'x-reprise-stack': 'DeadLetter: force must be a boolean value\n    at one', other: 'kept' },
  properties: {},
  body: { encoding: 'utf8', content: '{}', truncated: false },
  history: [],
} as unknown as DeadLetterWhole;

let server: Server;
let env: NodeJS.ProcessEnv;
let letter = LETTER;

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://gateway');
    const status = searchParams.get('status');
    const of = (status === null ? Object.values(GROUPS).flat() : (GROUPS[status] ?? [])).filter((each) =>
      [null, each.group].includes(searchParams.get('group')),
    );
    const answers: Record<string, unknown> = {
      '/v1/ops/dead-letters/groups': { groups: of },
      '/v1/ops/dead-letters': { dead_letters: [] },
      '/v1/ops/dead-letters/dl_1': letter,
    };
    response.end(JSON.stringify(answers[pathname]));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  env = { GATEWAY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, REPRISE_TOKEN: 't' };
});
beforeEach(() => void (letter = LETTER));
afterAll(() => new Promise((done) => server.close(done)));

const dead = (...args: string[]) => record(['dead', ...args], env);
const counts = async (...args: string[]) => {
  const { code, out } = await dead('groups', '--json', ...args);
  const { groups } = JSON.parse(out) as { groups: DeadLetterGroupView[] };
  return [
    code,
    ...groups.map((each) => `${each.group} ${each.count} ${each.first_failed_at.slice(8, 10)} ${each.last_failed_at.slice(8, 10)}`),
  ];
};

describe('reprise dead groups', () => {
  it('counts what waits for an operator, of both kinds, and nothing that is settled', async () => {
    expect(await counts()).toEqual([0, 'a 5 01 02', 'b 4 03 03']);
  });

  it('counts what is settled as well where it is asked to, or what is in one status', async () => {
    expect(await counts('--all')).toEqual([0, 'a 2 02 02', 'b 4 03 03', 'a 3 01 01', 'c 9 04 04']);
    expect(await counts('--status', 'discarded')).toEqual([0, 'c 9 04 04']);
  });

  it('says that nothing waits where all of a group is settled', async () => {
    expect(await dead('groups', '--group', 'c')).toMatchObject({
      code: 0,
      out: 'No dead letters wait. With --all: those that are settled.\n',
    });
  });

  it.each([['groups'], ['list'], ['replay', '--yes'], ['discard', '--yes', '--reason', 'x']])(
    'a group that there never was is a failure: %s',
    async (...args) => {
      expect(await dead(...args, '--group', 'nope')).toEqual({
        code: 1,
        out: '',
        err: 'reprise: there is no group nope: reprise dead groups --all names all of them\n',
      });
    },
  );
});

describe('reprise dead show', () => {
  it('says first who sent the message and what to do, and the stack once', async () => {
    const { out } = await dead('show', 'dl_1');
    const [, first, second] = out.split('\n');
    expect(first).toMatch(/^sender +reprise_publisher$/);
    expect(second).toMatch(/^to do +the sender has to mend it/);
    expect(out.split('at one')).toHaveLength(2);
    expect(out).toContain('"other": "kept"');
  });

  it.each([
    [{ reason: 'retries_exhausted' }, 'mend what the exception names, then replay it'],
    [{ reason: 'something new' }, 'read the exception; then replay it, or discard it with a reason'],
    [{ status: 'discarded' }, 'nothing: it is settled'],
    [{ status: 'replaying' }, 'nothing: its replay sends it'],
  ])('of one with %j says what to do', async (more, advice) => {
    letter = { ...LETTER, ...more, sender: null } as DeadLetterWhole;
    const { out } = await dead('show', 'dl_1');
    expect(out).toContain(advice);
    expect(out).toMatch(/^sender +unknown: nobody vouches for one$/m);
  });
});
