import type { Bench, Row } from '../bench';
import { type Line, lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import { Shell } from '../peers/shell';
import { endLive, type LiveWorkspace, liveWorkspace } from './live';

const SIZES = [1, 10, 100];

export const restart: Row = {
  name: 'restart',
  about: 'one restart, from its POST to its end, with 1, 10 and 100 MB of files, beside a shell doing the same by hand',
  measure: (bench) =>
    bySize(bench, 'restart', async ({ rest, id }) => {
      const began = performance.now();
      await rest.operate('restart', id);
      return performance.now() - began;
    }),
};

export const resume: Row = {
  name: 'resume',
  about: 'one resume, from its POST to its end, with 1, 10 and 100 MB of files, beside a shell doing the same by hand',
  measure: (bench) =>
    bySize(bench, 'resume', async ({ rest, id }) => {
      await rest.operate('stop', id);
      const began = performance.now();
      await rest.operate('resume', id);
      return performance.now() - began;
    }),
};

async function bySize(bench: Bench, verb: 'restart' | 'resume', ours: (workspace: LiveWorkspace) => Promise<number>): Promise<Line[]> {
  const shell = new Shell(bench.state.path('work', 'by-hand'), bench.turns.signal);
  const lines: Line[] = [];
  for (const megabytes of SIZES) {
    const workspace = await liveWorkspace(bench, megabytes);
    const figures = await inTurns({ ours: () => ours(workspace), shell: () => shell.byHand(verb, workspace.copy) }, bench.turns);
    shell.clear();
    await endLive(workspace);
    const about = { row: verb, what: `${megabytes} MB`, unit: 'ms', goal: { at: 'most', value: 1.3 } } as const;
    lines.push(lineOfRounds(about, 'by hand', roundsOf(figures.ours, figures.shell)));
  }
  return lines;
}
