import { InOrder } from './in-order';

describe('work of one key', () => {
  it('is done in the order in which it came, also after one that failed', async () => {
    const order = new InOrder();
    const done: string[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const first = order.run('a', () => gate.then(() => done.push('a1')));
    const failing = order.run('a', () => Promise.reject(new Error('no')));
    const third = order.run('a', () => Promise.resolve(done.push('a3')));
    await order.run('b', () => Promise.resolve(done.push('b1')));
    open();
    await expect(failing).rejects.toThrow('no');
    await Promise.all([first, third]);
    expect(done).toEqual(['b1', 'a1', 'a3']);
  });
});
