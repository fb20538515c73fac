import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasEnded } from '../testing/processes';
import { newSpec } from '../testing/workspaces';
import { keepsThePromisesOfAPodDriver } from './conformance';
import { end, escaped, newCgroup, newDriver, readyPod, said, state, underTest } from './support/ground-of-user';

const cgroup = newCgroup();
const withCgroup = cgroup === null ? describe.skip : describe;

afterAll(() => end(cgroup));

withCgroup('the process driver as an ordinary user, with cgroups (needs root: one is given to the user)', () => {
  keepsThePromisesOfAPodDriver(() => underTest(join(state, 'grouped'), { isolation: 'cgroup' }, cgroup!), ['bounds', 'salvage']);
});

withCgroup('a pod in a cgroup of its own (needs root: one is given to the user)', () => {
  it('ends what dropped its environment, session, directory and parent: at quiesce and at removal', async () => {
    const driver = newDriver({ isolation: 'cgroup', podsDir: join(state, 'escape') }, cgroup!);
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    const first = await escaped(agent);
    await agent.quiesce('saved');
    expect(hasEnded(first)).toBe(true);
    await agent.resumeWork();
    const second = await escaped(agent);
    await driver.remove(spec, { graceSeconds: 1 });
    expect(hasEnded(second)).toBe(true);
    expect(existsSync(join(cgroup!, `reprise-${spec.workspaceId}-1`))).toBe(false);
  });

  it('ends what went so deep below its cgroup that no path reaches it, and closed the way', async () => {
    const driver = newDriver({ isolation: 'cgroup', podsDir: join(state, 'deep') }, cgroup!);
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    const own = `${cgroup}/$(basename $(sed -n 's/^0:://p' /proc/self/cgroup))`;
    const bury = (pid: number, level: string): string =>
      `cd ${own} && ${process.execPath} -e '
         const fs = require("node:fs");
         for (let n = 0; n < 25; n += 1) { fs.mkdirSync("${level}"); process.chdir("${level}"); }
         fs.writeFileSync("cgroup.procs", "${pid}");
         fs.chmodSync("cgroup.procs", 0);' && chmod 0 ${level} && echo buried`;
    const first = await escaped(agent);
    expect(await said(agent, bury(first, 'a'.repeat(200)))).toBe('buried\n');
    await agent.quiesce('saved');
    expect(hasEnded(first)).toBe(true);
    await agent.resumeWork();
    const second = await escaped(agent);
    expect(await said(agent, bury(second, 'b'.repeat(200)))).toBe('buried\n');
    await driver.remove(spec, { graceSeconds: 1 });
    expect(hasEnded(second)).toBe(true);
    expect(readdirSync(cgroup!).filter((name) => name.includes(spec.workspaceId))).toEqual([]);
  });
});
