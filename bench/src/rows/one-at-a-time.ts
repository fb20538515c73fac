import type { Bench, Row } from '../bench';
import { diskAtRest } from '../ground/disk';
import { type Operation, stepMs } from '../ground/rest';
import { median } from '../harness/arithmetic';
import { type Line, lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import { Shell } from '../peers/shell';
import { endLive, type LiveWorkspace, liveWorkspace } from './live';

const SIZES = [1, 10, 100];
const LARGE = 100;

type Verb = 'restart' | 'resume';

export const restart: Row = {
  name: 'restart',
  about: 'one restart, from its POST to its end, with 1, 10 and 100 MB of files, beside a shell doing the same by hand',
  measure: (bench) => bySize(bench, 'restart', () => Promise.resolve()),
};

export const resume: Row = {
  name: 'resume',
  about: 'one resume, from its POST to its end, with 1, 10 and 100 MB of files, beside a shell doing the same by hand',
  measure: (bench) => bySize(bench, 'resume', ({ rest, id }) => rest.operate('stop', id)),
};

/** @param before what is done before each, and not measured */
async function bySize(bench: Bench, verb: Verb, before: (workspace: LiveWorkspace) => Promise<unknown>): Promise<Line[]> {
  const shell = new Shell(bench.state.path('work', 'by-hand'), bench.turns.signal);
  const lines: Line[] = [];
  for (const megabytes of SIZES) {
    const workspace = await liveWorkspace(bench, megabytes);
    const operations: Operation[] = [];
    const figures = await inTurns(
      {
        ours: async () => {
          await before(workspace);
          const began = performance.now();
          operations.push(await workspace.rest.operate(verb, workspace.id));
          return performance.now() - began;
        },
        shell: () => shell.byHand(verb, workspace.copy),
      },
      // By then everything is warm.
      { ...bench.turns, warmUp: megabytes < LARGE, before: diskAtRest },
    );
    shell.clear();
    await endLive(workspace);
    const about = { row: verb, what: `${megabytes} MB`, unit: 'ms', goal: { at: 'most', value: 1.3 } } as const;
    const note = `${megabytes} MB in its steps, in ms: ${stepsOf(operations.slice(-bench.turns.rounds))}`;
    lines.push(lineOfRounds({ ...about, note }, 'by hand', roundsOf(figures.ours, figures.shell)));
  }
  return lines;
}

/** The median of each step: `quiesce 4, snapshot 61, …`. */
function stepsOf(operations: readonly Operation[]): string {
  const names = operations[0]?.phases.map(({ name }) => name) ?? [];
  const medians = names.map((name) => `${name} ${Math.round(median(operations.map((operation) => stepMs(operation, name))))}`);
  return medians.join(', ');
}
