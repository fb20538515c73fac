import { currentContext, runWith } from '../context/context';
import { BatchLoader } from './batch-loader';

const MOST = 100;

interface Put {
  readonly keys: string[];
  readonly requestId: string | undefined;
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

function questions({ patienceMs = 60_000, atOnce = 1 } = {}): { ask: (key: string) => Promise<string | undefined>; puts: Put[] } {
  const puts: Put[] = [];
  const asked = new BatchLoader<string>(
    (keys) =>
      new Promise((resolve, reject) => {
        const known = keys.filter((key) => key !== 'stranger');
        const answer = (): void => resolve(new Map(known.map((key) => [key, `of ${key}`])));
        puts.push({ keys, requestId: currentContext().requestId, answer, fail: reject });
      }),
    { most: MOST, patienceMs, atOnce },
  );
  return { ask: (key) => asked.load(key), puts };
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

describe('questions asked together', () => {
  it('are put at once while there is no other', async () => {
    const { ask, puts } = questions();
    for (const key of ['acme', 'globex']) {
      const answer = ask(key);
      await settled();
      expect(puts.at(-1)?.keys).toEqual([key]);
      puts.at(-1)?.answer();
      expect(await answer).toBe(`of ${key}`);
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
    expect(puts.map(({ keys }) => keys)).toEqual([['acme'], ['acme', 'globex', 'stranger']]);
    puts[1]?.answer();
    expect(await Promise.all(others)).toEqual(['of acme', 'of globex', 'of acme', undefined]);
  });

  it('wait only while as many are under way as may be', async () => {
    const { ask, puts } = questions({ atOnce: 2 });
    const answers: Promise<string | undefined>[] = [];
    for (const key of ['acme', 'globex', 'initech', 'umbrella']) {
      answers.push(ask(key));
      await settled();
    }
    expect(puts.map(({ keys }) => keys)).toEqual([['acme'], ['globex']]);
    puts[1]?.answer();
    await settled();
    expect(puts.map(({ keys }) => keys)).toEqual([['acme'], ['globex'], ['initech', 'umbrella']]);
    for (const { answer } of puts) answer();
    expect(await Promise.all(answers)).toEqual(['of acme', 'of globex', 'of initech', 'of umbrella']);
  });

  it('do not wait for one that takes long', async () => {
    const { ask, puts } = questions({ patienceMs: 1 });
    const slow = ask('acme');
    await settled();
    const next = ask('globex');
    await until(() => puts.length === 2);
    const later = ask('initech');
    await until(() => puts.length === 3);
    expect(puts.map(({ keys }) => keys)).toEqual([['acme'], ['globex'], ['initech']]);
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

  it('name no more keys than one may', async () => {
    const { ask, puts } = questions();
    const all = Promise.all(Array.from({ length: MOST + 1 }, (_, at) => ask(`key-${at}`)));
    await settled();
    expect(puts.map(({ keys }) => keys.length)).toEqual([MOST]);
    puts[0]?.answer();
    await settled();
    expect(puts.map(({ keys }) => keys.length)).toEqual([MOST, 1]);
    puts[1]?.answer();
    expect((await all).at(-1)).toBe(`of key-${MOST}`);
  });

  it('are put for the request that asks first, and each request goes on as itself', async () => {
    const { ask, puts } = questions();
    const asking = (requestId: string, key: string): Promise<string | undefined> =>
      runWith({ requestId }, async () => {
        await ask(key);
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
