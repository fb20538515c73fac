import { MOST_POSTURES } from '@reprise/contracts';
import { PostureQuestions } from './posture-questions';

interface Put {
  readonly orgIds: string[];
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

function questions(): { ask: (orgId: string) => Promise<string | undefined>; puts: Put[] } {
  const puts: Put[] = [];
  const asked = new PostureQuestions<string>(
    (orgIds) =>
      new Promise((resolve, reject) => {
        const known = orgIds.filter((orgId) => orgId !== 'stranger');
        puts.push({ orgIds, answer: () => resolve(new Map(known.map((orgId) => [orgId, `of ${orgId}`]))), fail: reject });
      }),
  );
  return { ask: (orgId) => asked.ask(orgId), puts };
}

/** Until all that is ready to run has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('questions about tenants', () => {
  it('are put at once while there is no other', async () => {
    const { ask, puts } = questions();
    for (const orgId of ['acme', 'globex']) {
      const answer = ask(orgId);
      await settled();
      expect(puts.at(-1)?.orgIds).toEqual([orgId]);
      puts.at(-1)?.answer();
      expect(await answer).toBe(`of ${orgId}`);
    }
    expect(puts).toHaveLength(2);
  });

  it('that come while one is under way go together into the next, which is put after the last of them has come', async () => {
    const { ask, puts } = questions();
    const first = ask('acme');
    await settled();
    const others = ['acme', 'globex', 'acme', 'stranger'].map(ask);
    await settled();
    expect(puts).toHaveLength(1);
    puts[0]?.answer();
    expect(await first).toBe('of acme');
    await settled();
    expect(puts.map(({ orgIds }) => orgIds)).toEqual([['acme'], ['acme', 'globex', 'stranger']]);
    puts[1]?.answer();
    expect(await Promise.all(others)).toEqual(['of acme', 'of globex', 'of acme', undefined]);
  });

  it('do not wait for one that takes long', async () => {
    const { ask, puts } = questions();
    const slow = ask('acme');
    await settled();
    const next = ask('globex');
    while (puts.length < 2) await settled();
    puts[1]?.answer();
    expect(await next).toBe('of globex');
    puts[0]?.answer();
    expect(await slow).toBe('of acme');
  });

  it('that fail fail for all that are in them, and for nobody else', async () => {
    const { ask, puts } = questions();
    const failing = ask('acme');
    await settled();
    const other = ask('acme');
    puts[0]?.fail(new Error('away'));
    await expect(failing).rejects.toThrow('away');
    await settled();
    puts[1]?.answer();
    expect(await other).toBe('of acme');
  });

  it('name no more tenants than one may', async () => {
    const { ask, puts } = questions();
    const all = Promise.all(Array.from({ length: MOST_POSTURES + 1 }, (_, at) => ask(`org-${at}`)));
    while (puts.length < 2) await settled();
    expect(puts.map(({ orgIds }) => orgIds.length)).toEqual([MOST_POSTURES, 1]);
    for (const { answer } of puts) answer();
    expect((await all).at(-1)).toBe(`of org-${MOST_POSTURES}`);
  });
});
