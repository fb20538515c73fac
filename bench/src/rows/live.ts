import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench';
import { World } from '../ground/worlds';
import { fill } from '../ground/files';
import { Rest } from '../ground/rest';

/** Real pods: processes of this machine, with real files. */
export interface LiveWorkspace {
  readonly id: string;
  readonly rest: Rest;
  /** A copy of what is in it, for others to work with. */
  readonly copy: string;
}

/** A workspace with so many MB in it, with the process driver and the store of files. */
export async function liveWorkspace(bench: Bench, megabytes: number, fileBytes?: number): Promise<LiveWorkspace> {
  if (!bench.fleet.has('process')) {
    await bench.fleet.have('none');
    await bench.worlds.enter(new World('live', { workspaces: 0, tenants: 1, refusing: false }));
    await bench.worlds.forgetJobs();
    await bench.fleet.have('process');
  }
  const rest = new Rest(bench.fleet.gatewayUrl, bench.callers.tokens[0] ?? '');
  const id = await rest.create('bench');
  const copy = bench.state.path('work', id);
  mkdirSync(copy, { recursive: true });
  fill(copy, megabytes, fileBytes);
  const pod = bench.state.path('pods', id, '1', 'workspace');
  for (const name of readdirSync(copy)) cpSync(join(copy, name), join(pod, name), { recursive: true });
  return { id, rest, copy };
}

/** Ends it, and takes away what was copied. */
export async function endLive({ id, rest, copy }: LiveWorkspace): Promise<void> {
  await rest.operate('stop', id);
  rmSync(copy, { recursive: true });
}
