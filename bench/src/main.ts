import { readdirSync, truncateSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Bench, Row } from './bench';
import { Ground } from './ground/ground';
import { type Launcher, loadLauncher, type Progress, ROOT } from './ground/launcher';
import { StatementCounter } from './ground/statement-counter';
import type { Line } from './harness/line';
import { Load } from './load/load';
import { type Options, optionsOf, USAGE } from './options';
import { Echo } from './peers/echo/echo';
import { Helper } from './peers/helper';
import { atStart, machineOf } from './report/machine';
import { Profiles } from './report/profiles';
import { tableOf } from './report/table';
import { writeResult } from './report/result';
import { ROWS } from './rows';

const RESULTS = join(ROOT, 'bench', 'results');
const PROFILES = join(RESULTS, 'profiles');
const [ROUNDS, QUICK_ROUNDS] = [5, 2];

/**
 * The benchmark.
 * @param args the arguments behind `npm run bench --`
 * @returns the exit code: 1 where a row could not be measured, 2 where the arguments are wrong; a goal that is missed is a result
 */
export async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = optionsOf(
      args,
      ROWS.map(({ name }) => name),
    );
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    return 2;
  }
  if (options.list) {
    for (const { name, about } of ROWS) say(`${name.padEnd(16)} ${about}`);
    return 0;
  }
  return new Run(options, await loadLauncher()).toItsEnd();
}

/** One run, from the servers' start to their end. */
class Run {
  private readonly stopping = new AbortController();
  private readonly start = atStart();
  private readonly progress: Progress;
  private readonly helpers: { stop(): Promise<void> }[] = [];

  constructor(
    private readonly options: Options,
    private readonly launcher: Launcher,
  ) {
    this.progress = new launcher.Progress();
  }

  async toItsEnd(): Promise<number> {
    const { launcher } = this;
    const ground = await Ground.take(launcher).catch((error: unknown) => this.told(error));
    if (!ground) return 1;
    launcher.onStopSignal(
      () => this.stop(),
      () => this.stop(),
    );
    try {
      return await this.measureAll(ground);
    } catch (error) {
      this.told(error);
      return 1;
    } finally {
      await Promise.all(this.helpers.map((helper) => helper.stop()));
      await ground.end();
    }
  }

  private async measureAll(ground: Ground): Promise<number> {
    const { options, progress } = this;
    if (options.quick) say('Quick: few and short rounds. It shows that everything works; its figures say next to nothing.');
    const bench = await this.bringUp(ground);
    const profiles = options.profile ? new Profiles(PROFILES, bench.fleet, new StatementCounter(bench.database)) : null;
    const lines: Line[] = [];
    const failed: string[] = [];
    const rowSeconds: Record<string, number> = {};
    for (const row of ROWS.filter(({ name }) => options.rows.length === 0 || options.rows.includes(name))) {
      clearLogs(bench.state.path('logs'));
      const measure = (): Promise<void> => this.measure(row, bench, lines);
      const began = performance.now();
      await progress.phase(row.name, () => profiles?.of(row.name, measure) ?? measure()).catch(() => failed.push(row.name));
      if (this.stopping.signal.aborted) return 1;
      rowSeconds[row.name] = (performance.now() - began) / 1_000;
    }
    const { quick, profile, rows } = options;
    const machine = await machineOf(await this.start, bench.database, bench.broker);
    const result = { machine, quick, profile, seconds: Number(progress.seconds), rowSeconds, failed, lines };
    say(`\n${tableOf(lines)}`);
    if (failed.length > 0) say(`Not measured: ${failed.join(', ')}`);
    say(`After ${progress.seconds} s, in ${relative(process.cwd(), writeResult(RESULTS, result, rows.length === 0))}.json and .svg`);
    return failed.length > 0 ? 1 : 0;
  }

  private async measure(row: Row, bench: Bench, lines: Line[]): Promise<void> {
    try {
      const measured = await row.measure(bench);
      lines.push(...measured);
      this.progress.say(tableOf(measured));
    } catch (error) {
      this.told(error);
      throw error;
    }
  }

  private async bringUp(ground: Ground): Promise<Bench> {
    const { options, progress } = this;
    const { signal } = this.stopping;
    const parts = await ground.bringUp(progress, options.profile);
    const load = this.ended(new Load(signal));
    const echo = this.ended(await Echo.start(parts.broker.adminUrl, { noDelay: true, acknowledging: false }));
    return {
      ...parts,
      options,
      progress,
      load,
      echo,
      turns: { rounds: options.rounds ?? (options.quick ? QUICK_ROUNDS : ROUNDS), signal },
      found: {},
      helper: (name) => this.ended(new Helper(join(__dirname, 'peers', `${name}.js`), signal)),
      amount: (full, quick) => (options.quick ? quick : full),
    };
  }

  private ended<T extends { stop(): Promise<void> }>(helper: T): T {
    this.helpers.push(helper);
    return helper;
  }

  private stop(): void {
    this.stopping.abort(new Error('stopped'));
    this.launcher.abortCommands();
  }

  private told(error: unknown): null {
    if (!this.stopping.signal.aborted) this.progress.say(this.launcher.describe(error));
    return null;
  }
}

/** Each row begins with empty ones: a line a request comes to gigabytes. */
function clearLogs(folder: string): void {
  for (const name of readdirSync(folder)) truncateSync(join(folder, name));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
