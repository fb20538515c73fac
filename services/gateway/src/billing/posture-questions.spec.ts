import { MOST_POSTURES } from '@reprise/contracts';
import { currentContext, runWith } from '@reprise/platform';
import { PostureQuestions } from './posture-questions';

interface Put {
  readonly orgIds: string[];
  readonly requestId: string | undefined;
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

function questions({ patienceMs = 60_000 } = {}): { ask: (orgId: string) => Promise<string | undefined>; puts: Put[] } {
  const puts: Put[] = [];
  const asked = new PostureQuestions<string>(
    (orgIds) =>
      new Promise((resolve, reject) => {
        const known = orgIds.filter((orgId) => orgId !== 'stranger');
        const answer = (): void => resolve(new Map(known.map((orgId) => [orgId, `of ${orgId}`])));
        puts.push({ orgIds, requestId: currentContext().requestId, answer, fail: reject });
      }),
    patienceMs,
  );
  return { ask: (orgId) => asked.ask(orgId), puts };
}

/** Until all that is ready to run has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Fails when it has looked for ten seconds. */
async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !condition();) {
    if (Date.now() > end) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

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
    const { ask, puts } = questions({ patienceMs: 1 });
    const slow = ask('acme');
    await settled();
    const next = ask('globex');
    await until(() => puts.length === 2);
    const later = ask('initech');
    await until(() => puts.length === 3);
    expect(puts.map(({ orgIds }) => orgIds)).toEqual([['acme'], ['globex'], ['initech']]);
    for (const { answer } of puts.slice(1)) answer();
    expect(await Promise.all([next, later])).toEqual(['of globex', 'of initech']);
    puts[0]?.answer();
    expect(await slow).toBe('of acme');
  });

  it('that fail fail for all that are in them, and for nobody else', async () => {
    const { ask, puts } = questions();
    const first = ask('acme');
    await settled();
    const failing = [ask('globex'), ask('initech')];
    puts[0]?.answer();
    expect(await first).toBe('of acme');
    await settled();
    const other = ask('globex');
    puts[1]?.fail(new Error('away'));
    for (const each of failing) await expect(each).rejects.toThrow('away');
    await settled();
    puts[2]?.answer();
    expect(await other).toBe('of globex');
  });

  it('name no more tenants than one may', async () => {
    const { ask, puts } = questions();
    const all = Promise.all(Array.from({ length: MOST_POSTURES + 1 }, (_, at) => ask(`org-${at}`)));
    await settled();
    expect(puts.map(({ orgIds }) => orgIds.length)).toEqual([MOST_POSTURES, 1]);
    for (const { answer } of puts) answer();
    expect((await all).at(-1)).toBe(`of org-${MOST_POSTURES}`);
  });

  it('are put for the request that asks first, and each request goes on as itself', async () => {
    const { ask, puts } = questions();
    const asking = (requestId: string, orgId: string): Promise<string | undefined> =>
      runWith({ requestId }, async () => {
        await ask(orgId);
        return currentContext().requestId;
      });
    const first = asking('one', 'acme');
    await settled();
    const others = [asking('two', 'globex'), asking('three', 'acme')];
    puts[0]?.answer();
    await settled();
    puts[1]?.answer();
    expect(await Promise.all([first, ...others])).toEqual(['one', 'two', 'three']);
    expect(puts.map(({ requestId }) => requestId)).toEqual(['one', 'two']);
  });
});
