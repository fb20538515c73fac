import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from '../ground/fleet';
import { ROOT } from '../ground/launcher';
import type { StatementCounter } from '../ground/statement-counter';
import { hottest } from './processor-profile';

/** What each row's work goes into: a folder a row, with node's own profile of each service, the functions and the statements that take most. */
export class Profiles {
  constructor(
    private readonly folder: string,
    private readonly fleet: Fleet,
    private readonly statements: StatementCounter,
  ) {
    rmSync(folder, { recursive: true, force: true });
  }

  /** Services write their profile when they end: so each row begins with new ones, and ends them. */
  async of<T>(row: string, work: () => Promise<T>): Promise<T> {
    const folder = join(this.folder, row);
    mkdirSync(folder, { recursive: true });
    await this.fleet.stop();
    this.fleet.profileInto(folder);
    await this.statements.begin();
    try {
      return await work();
    } finally {
      writeFileSync(join(folder, 'statements.txt'), await this.statements.most());
      await this.fleet.stop();
      for (const name of readdirSync(folder).filter((each) => each.endsWith('.cpuprofile'))) {
        writeFileSync(join(folder, name.replace('.cpuprofile', '.txt')), hottest(join(folder, name), ROOT));
      }
    }
  }
}
