import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, promise, ROOT, SERVICES, useStack } from './support';

const stack = useStack({ settings: { provisioner: { RECONCILE_INTERVAL_SECONDS: '1' } } });
const PROMISE_WITHIN_MS = 240_000;

/** A verb in a process of its own, with what an instance's `env` file says. @returns what it prints as JSON */
async function reprise(...args: string[]): Promise<Record<string, unknown>> {
  const file = join(stack.directory, 'operator.env');
  const values = { ...stack.ground.values, SNAPSHOTS_DIR: join(stack.directory, 'snapshots') };
  writeFileSync(
    file,
    Object.entries(values)
      .map((pair) => pair.join('='))
      .join('\n'),
    { mode: 0o600 },
  );
  const command = [join(ROOT, 'cli/dist/main.js'), ...args, '--json', '--env-file', file];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: stack.directory });
  return JSON.parse(stdout) as Record<string, unknown>;
}

promise(
  'after database and snapshots are lost, a restore brings every workspace back, with the files of the backup or later ones',
  async () => {
    const { alice } = await stack.tenant();
    const made = async (word: string) => {
      const { id } = await alice.workspace();
      await write(id, word);
      return id;
    };
    const write = async (id: string, word: string) => {
      await alice.run(id, `echo ${word} >> words.txt`);
      await alice.reach(id, 'idle');
    };
    const words = (id: string) =>
      readFileSync(join(stack.pod(id).files, 'words.txt'), 'utf8')
        .trim()
        .split('\n');
    const [stopped, running, changed] = [await made('stopped'), await made('running'), await made('changed')];
    const adopted = await made('adopted');
    for (const id of [stopped, changed, adopted]) await alice.stop(id);
    const folder = join(stack.directory, 'backup');
    // While everything runs.
    expect(await reprise('backup', '--to', folder)).toMatchObject({ snapshots: { store: 'files', objects: 3 } });

    await write(running, 'later');
    await alice.restart(running);
    await alice.resume(changed);
    await write(changed, 'later');
    await alice.resume(adopted);
    await write(adopted, 'later');
    await alice.stop(adopted);
    const { id: unknown } = await alice.workspace();
    await Promise.all(SERVICES.map((name) => stack.service(name).stop()));
    await stack.ground.loseDatabase();
    rmSync(join(stack.directory, 'snapshots', stopped), { recursive: true });

    expect(await reprise('restore', '--from', folder)).toMatchObject({
      workspaces: { stopped: 3, idle: 1 },
      snapshots: { verified: 3, present: 3, missing: [] },
      snapshots_copied_back: 1,
      without_their_snapshot: [],
    });
    await Promise.all(SERVICES.map((name) => stack.service(name).start()));

    // What was saved after the backup is in the store alone; the workspace resumes from it once it is on record again.
    const { objects } = await reprise('snapshots', 'list', '--workspace', adopted);
    expect(objects).toEqual([expect.objectContaining({ workspace_id: adopted })]);
    const [{ key }] = objects as [{ key: string }];
    expect(await reprise('snapshots', 'adopt', key)).toMatchObject({ workspace_id: adopted });
    await alice.resume(adopted);
    expect(words(adopted)).toEqual(['adopted', 'later']);

    await alice.resume(stopped);
    expect(words(stopped)).toEqual(['stopped']);
    // The pods of after the backup are found: their workspaces go on from them.
    await eventually(async () => expect((await alice.see(running)).status).toMatch(/idle|failed/));
    if ((await alice.see(running)).status === 'failed') await alice.resume(running);
    else await alice.restart(running);
    await alice.resume(changed);
    for (const [id, word] of [
      [running, 'running'],
      [changed, 'changed'],
    ] as const) {
      expect(words(id)).toEqual([word, 'later']);
      expect((await alice.run(id, 'cat words.txt')).output).toContain(word);
    }
    expect((await alice.get(`/v1/workspaces/${unknown}`)).status).toBe(404);
  },
  PROMISE_WITHIN_MS,
);
