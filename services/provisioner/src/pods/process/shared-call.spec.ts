import { SharedCall } from './shared-call';

describe('a shared call', () => {
  const begun: { end: (value: number) => void; fail: (error: Error) => void }[] = [];
  const shared = (): SharedCall<number> => new SharedCall(() => new Promise((end, fail) => begun.push({ end, fail })));
  const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

  beforeEach(() => begun.splice(0));

  it('answers all who asked before it began, and nobody who asked later', async () => {
    const call = shared();
    const first = call.call();
    const later = [call.call(), call.call(), call.call()];
    expect(begun).toHaveLength(1);
    begun[0]!.end(1);
    expect(await first).toBe(1);
    await turn();
    expect(begun).toHaveLength(2);
    const last = call.call();
    begun[1]!.end(2);
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
    await turn();
    begun[2]!.end(3);
    expect(await last).toBe(3);
    expect(begun).toHaveLength(3);
  });

  it('fails for those alone whom the run was for', async () => {
    const call = shared();
    const first = call.call();
    const later = call.call();
    begun[0]!.fail(new Error('no /proc'));
    await expect(first).rejects.toThrow('no /proc');
    await turn();
    begun[1]!.end(2);
    expect(await later).toBe(2);
    const another = call.call();
    begun[2]!.end(3);
    expect(await another).toBe(3);
  });
});
