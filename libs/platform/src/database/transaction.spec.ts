import type { DataSource } from 'typeorm';
import { inTransaction } from './transaction';

const conflict = Object.assign(new Error('deadlock detected'), { code: '40P01' });

function dataSourceThatFails(errors: Error[]) {
  let runs = 0;
  const transaction = (work: (manager: unknown) => Promise<unknown>) => {
    runs += 1;
    const error = errors.shift();
    return error === undefined ? work({}) : Promise.reject(error);
  };
  return { dataSource: { transaction } as unknown as DataSource, runs: () => runs };
}

describe('inTransaction', () => {
  it('runs the work again when the database says that it lost against another', async () => {
    const { dataSource, runs } = dataSourceThatFails([conflict, conflict]);
    await expect(inTransaction(dataSource, () => Promise.resolve('done'))).resolves.toBe('done');
    expect(runs()).toBe(3);
  });

  it('gives up after so many attempts', async () => {
    const { dataSource, runs } = dataSourceThatFails([conflict, conflict, conflict]);
    await expect(inTransaction(dataSource, () => Promise.resolve(), { attempts: 2 })).rejects.toBe(conflict);
    expect(runs()).toBe(2);
  });

  it('throws every other error at once, a lost connection too, because it may have been committed', async () => {
    const lost = Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
    const { dataSource, runs } = dataSourceThatFails([lost]);
    await expect(inTransaction(dataSource, () => Promise.resolve())).rejects.toBe(lost);
    expect(runs()).toBe(1);
  });
});
