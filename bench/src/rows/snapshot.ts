import type { Row } from '../bench';
import { stepMs } from '../ground/rest';
import { lineOfFigures, lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import { Shell } from '../peers/shell';
import { liveWorkspace } from './live';

const FILE_BYTES = 1_024 * 1_024;

export const snapshot: Row = {
  name: 'snapshot',
  about:
    '1 GB out of a pod into the store and back into the next pod, beside tar | zstd | sha256sum; the memory of the provisioner meanwhile',
  async measure(bench) {
    const megabytes = bench.amount(1_000, 100);
    const workspace = await liveWorkspace(bench, megabytes, FILE_BYTES);
    const shell = new Shell(bench.state.path('work', 'pipe'), bench.turns.signal);
    const speed = (ms: number): number => (megabytes / ms) * 1_000;
    const { figures } = bench.fleet.service('provisioner');
    const measured = await inTurns(
      {
        ours: async () => {
          const most = figures.watchMemory();
          const operation = await workspace.rest.operate('restart', workspace.id);
          return { out: speed(stepMs(operation, 'snapshot')), back: speed(stepMs(operation, 'restore')), memory: most() };
        },
        pipe: async () => ({
          out: speed(await shell.packed(workspace.files)),
          back: speed(await shell.unpacked(workspace.files)),
          memory: 0,
        }),
      },
      // A gigabyte a turn: the disk's cache is warm when it has been filled, and there is no time for more.
      { ...bench.turns, warmUp: false, before: workspace.atRest },
    );
    shell.clear();
    const note =
      'ours: brotli at quality 1, on the disk (fsync) when it counts as done, and read back once more besides; the pipe: zstd -3 where there is one';
    const about = { row: 'snapshot', unit: 'MB/s', goal: { at: 'least', value: 0.8 }, note } as const;
    return [
      lineOfRounds(
        { ...about, what: `${megabytes} MB out` },
        'tar | zstd | tee | sha256sum',
        roundsOf(measured.ours, measured.pipe, ({ out }) => out),
      ),
      lineOfRounds(
        { ...about, what: `${megabytes} MB back` },
        'zstd -d | tar, sha256sum',
        roundsOf(measured.ours, measured.pipe, ({ back }) => back),
      ),
      lineOfFigures(
        { row: 'snapshot', what: "the provisioner's memory at most", unit: 'MiB', goal: { at: 'most', value: 200 } },
        measured.ours.map(({ memory }) => memory),
      ),
    ];
  },
};
