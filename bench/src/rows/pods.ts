import { join } from 'node:path';
import type { Bench, Row } from '../bench';
import { diskAtRest } from '../ground/disk';
import { fill } from '../ground/files';
import { Rest } from '../ground/rest';
import { lineOfFigures } from '../harness/line';
import { inTurns } from '../harness/turns';
import { withRealPods } from './live';

const WORKSPACES = 20;
const OF_TENANTS = 4;
const MEGABYTES = 1;
/** Each workspace is restarted so often in a round, one restart right after the other. */
const IN_A_ROUND = 3;

export const pods: Row = {
  name: 'pods',
  about: 'restarts a second with real pods, 20 workspaces of 4 tenants at once, 1 MB of files each',
  async measure(bench) {
    await withRealPods(bench);
    const workspaces = await Promise.all(Array.from({ length: WORKSPACES }, (_, n) => made(bench, n % OF_TENANTS)));
    const restarts = bench.amount(IN_A_ROUND, 1);
    const { figures: provisioner } = bench.fleet.service('provisioner');
    const measured = async (): Promise<{ rate: number; processorMs: number }> => {
      const [before, from] = [provisioner.processorMs, performance.now()];
      await Promise.all(workspaces.map((workspace) => restartAgain(workspace, restarts)));
      const done = restarts * WORKSPACES;
      return { rate: done / ((performance.now() - from) / 1_000), processorMs: (provisioner.processorMs - before) / done };
    };
    const before = (): Promise<void> => diskAtRest(bench.state.path('pods'));
    const { ours } = await inTurns({ ours: measured }, { ...bench.turns, before });
    return [
      lineOfFigures(
        { row: 'pods', what: 'restarts', unit: '/s' },
        ours.map(({ rate }) => rate),
      ),
      lineOfFigures(
        { row: 'pods', what: "provisioner's processor, each", unit: 'ms', goal: { at: 'most', value: 15 } },
        ours.map(({ processorMs }) => processorMs),
      ),
    ];
  },
};

interface Restartable {
  readonly id: string;
  readonly rest: Rest;
}

async function made(bench: Bench, tenant: number): Promise<Restartable> {
  const rest = new Rest(bench.fleet.gatewayUrl, bench.callers.tokens[tenant] ?? '');
  const id = await rest.create('bench');
  fill(join(bench.state.path('pods'), id, 'workspace'), MEGABYTES);
  return { id, rest };
}

async function restartAgain({ id, rest }: Restartable, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await rest.operate('restart', id);
}
