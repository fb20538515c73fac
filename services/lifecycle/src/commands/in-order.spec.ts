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

describe('work that can be done at once', () => {
  const gate = (): { opened: Promise<void>; open: () => void } => {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { opened, open };
  };

  it('is gathered while earlier work goes on, by kinds, and keeps its order among all', async () => {
    const order = new InOrder();
    const { opened, open } = gate();
    const done: string[] = [];
    const work = (items: readonly string[]): Promise<void> => Promise.resolve(void done.push(items.join('+')));
    const all = [
      order.run('a', () => opened),
      order.gather('a', 'x', '1', work),
      order.gather('a', 'x', '2', work),
      order.gather('a', 'y', '3', work),
      order.gather('a', 'y', '4', work),
      order.run('a', () => Promise.resolve(done.push('alone'))),
      order.gather('a', 'y', '5', work),
    ];
    open();
    await Promise.all(all);
    expect(done).toEqual(['1+2', '3+4', 'alone', '5']);
  });

  it('is gathered where it comes in one turn of the event loop, and never into what has begun', async () => {
    const order = new InOrder();
    const begun = gate();
    const { opened, open } = gate();
    const done: string[] = [];
    const work = async (items: readonly string[]): Promise<void> => {
      begun.open();
      await opened;
      done.push(items.join('+'));
    };
    const first = [order.gather('a', 'x', '1', work), order.gather('a', 'x', '2', work)];
    await begun.opened;
    const second = order.gather('a', 'x', '3', work);
    open();
    await Promise.all([...first, second]);
    expect(done).toEqual(['1+2', '3']);
  });

  it('fails for all that were gathered, and holds up nothing', async () => {
    const order = new InOrder();
    const fail = (): Promise<void> => Promise.reject(new Error('no'));
    const all = [order.gather('a', 'x', 1, fail), order.gather('a', 'x', 2, fail)];
    for (const each of await Promise.allSettled(all)) expect(each).toMatchObject({ status: 'rejected', reason: new Error('no') });
    await order.run('a', () => Promise.resolve());
  });
});
