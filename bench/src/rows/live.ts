import { join } from 'node:path';
import type { Bench } from '../bench';
import { TENANTS } from '../ground/callers';
import { diskAtRest } from '../ground/disk';
import { fill } from '../ground/files';
import { Rest } from '../ground/rest';
import { World } from '../ground/worlds';

/** Real pods: processes of this machine, with real files. They are ended with everything else. */
export interface LiveWorkspace {
  readonly id: string;
  readonly rest: Rest;
  /** Where its pod has its files now. */
  readonly files: string;
  /** Before a turn: nothing is to be written or deleted any more. */
  readonly atRest: () => Promise<void>;
}

/** A workspace with so many MB in it, with the process driver and the store of files. */
export async function liveWorkspace(bench: Bench, megabytes: number, fileBytes?: number): Promise<LiveWorkspace> {
  await withRealPods(bench);
  const rest = new Rest(bench.fleet.gatewayUrl, bench.callers.tokens[0] ?? '');
  const id = await rest.create('bench');
  const pods = bench.state.path('pods');
  const workspace = {
    id,
    rest,
    files: join(pods, id, 'workspace'),
    atRest: () => diskAtRest(pods),
  };
  fill(workspace.files, megabytes, fileBytes);
  return workspace;
}

/** Services whose pods are processes, and a database without a workspace; made by the first row that takes them. */
export async function withRealPods(bench: Bench): Promise<void> {
  if (bench.fleet.has('process')) return;
  await bench.fleet.have('none');
  await bench.worlds.enter(new World('live', { workspaces: 0, tenants: TENANTS, refusing: false }));
  await bench.worlds.forgetJobs();
  await bench.fleet.have('process');
}
