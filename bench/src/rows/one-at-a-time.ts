import type { Bench, Row } from '../bench';
import { type Operation, stepMs } from '../ground/rest';
import { median } from '../harness/arithmetic';
import { type Line, lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import { Shell } from '../peers/shell';
import { type LiveWorkspace, liveWorkspace } from './live';

const SIZES = [1, 10, 100];
const LARGE = 100;
const VERBS = ['restart', 'resume'] as const;

type Verb = (typeof VERBS)[number];

export const oneAtATime: Row = {
  name: 'one-at-a-time',
  about: 'one restart, and one resume, from its POST to its end, with 1, 10 and 100 MB of files, beside a shell doing the same by hand',
  async measure(bench) {
    const lines: Record<Verb, Line[]> = { restart: [], resume: [] };
    for (const megabytes of SIZES) {
      const found = await withFiles(bench, megabytes);
      for (const verb of VERBS) lines[verb].push(found[verb]);
    }
    return VERBS.flatMap((verb) => lines[verb]);
  },
};

async function withFiles(bench: Bench, megabytes: number): Promise<Record<Verb, Line>> {
  const workspace = await liveWorkspace(bench, megabytes);
  const shell = new Shell(bench.state.path('work', `by-hand-${megabytes}`), bench.turns.signal);
  shell.clear();
  const operations: Record<Verb, Operation[]> = { restart: [], resume: [] };
  const timed = async (verb: Verb): Promise<number> => {
    const began = performance.now();
    operations[verb].push(await workspace.rest.operate(verb, workspace.id));
    return performance.now() - began;
  };
  const figures = await inTurns(
    { ours: () => restartAndResume(workspace, timed), shell: () => shell.byHand(workspace.files) },
    // By then everything is warm.
    { ...bench.turns, warmUp: megabytes < LARGE, before: workspace.atRest },
  );
  const lineOf = (verb: Verb): Line => {
    const note = `${megabytes} MB in its steps, in ms: ${stepsOf(operations[verb].slice(-bench.turns.rounds))}`;
    const about = { row: verb, what: `${megabytes} MB`, unit: 'ms', goal: { at: 'most', value: 1.3 }, note } as const;
    return lineOfRounds(
      about,
      'by hand',
      roundsOf(figures.ours, figures.shell, (each) => each[verb]),
    );
  };
  return { restart: lineOf('restart'), resume: lineOf('resume') };
}

async function restartAndResume(
  { id, rest, atRest }: LiveWorkspace,
  timed: (verb: Verb) => Promise<number>,
): Promise<Record<Verb, number>> {
  const restart = await timed('restart');
  await rest.operate('stop', id);
  await atRest();
  return { restart, resume: await timed('resume') };
}

/** The median of each step: `quiesce 4, snapshot 61, …`. */
function stepsOf(operations: readonly Operation[]): string {
  const names = operations[0]?.phases.map(({ name }) => name) ?? [];
  const medians = names.map((name) => `${name} ${Math.round(median(operations.map((operation) => stepMs(operation, name))))}`);
  return medians.join(', ');
}
