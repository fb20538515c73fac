import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promise, ROOT, useStack } from './support';

const stack = useStack();
const LAUNCHER = (name: string): string => pathToFileURL(resolve(ROOT, `scripts/lib/${name}.mjs`)).href;

/** The files with the secrets of an instance, made by the launcher's own code in a folder of the stack. */
function instanceFiles(): { env: string; signingKey: string } {
  const make = `
    const [{ State }, { signingKeys, password }] = [await import(process.argv[1]), await import(process.argv[2])];
    const state = new State(process.argv[3]);
    state.once('POD_TOKEN_SECRET', password);
    const { privateKey } = signingKeys(state.privateFolder('keys'));
    state.save();
    console.log(JSON.stringify({ env: state.file, signingKey: privateKey }));`;
  const args = ['--input-type=module', '-e', make, '--', LAUNCHER('state'), LAUNCHER('secrets'), join(stack.directory, 'instance')];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as { env: string; signingKey: string };
}

const provisionersLog = (): string => readFileSync(join(stack.directory, 'logs', 'provisioner.log'), 'utf8');

/** How the provisioner says that it isolates pods. */
const isolation = (): string | undefined => /"isolation":"(\w+)"/.exec(provisionersLog())?.[1];

promise('as root each workspace has a user of its own, also here', () => {
  if (process.geteuid?.() === 0) expect(isolation()).toBe('user');
  else expect(['namespace', 'cgroup', 'environment']).toContain(isolation());
  return Promise.resolve();
});

promise(
  'a task reads neither the env file nor the signing key of the server, nor anything of another tenant, and may read its own',
  async () => {
    if (isolation() !== 'user' && isolation() !== 'namespace') {
      // There is nothing that would keep it from that, and the provisioner has to say so.
      expect(provisionersLog()).toContain('only with tenants that you trust');
      return;
    }
    const [{ alice }, { alice: bob }] = [await stack.tenant(), await stack.tenant()];
    const [{ id }, other] = [await alice.workspace(), await bob.workspace()];
    for (const [caller, workspace] of [
      [alice, id],
      [bob, other.id],
    ] as const)
      await caller.reach(workspace, 'idle');
    const { env, signingKey } = instanceFiles();
    const files = stack.pod(other.id).files;
    writeFileSync(join(files, 'of-another-tenant'), 'x');
    const forbidden = [
      `cat ${env}`,
      `cat ${signingKey}`,
      `ls ${join(stack.directory, 'instance', 'keys')}`,
      `ls ${join(stack.directory, 'snapshots')}`,
      `ls ${join(stack.directory, 'logs')}`,
      `cat ${join(files, 'of-another-tenant')}`,
      `ls ${join(stack.directory, 'pods', other.id)}`,
      `cat /proc/${stack.service('provisioner').pid}/environ`,
      `cat /proc/${stack.pod(other.id).pid}/environ`,
    ];
    const attempts = forbidden.map((command) => `if ${command} >/dev/null 2>&1; then echo '${command}'; fi`);
    const { output } = await alice.run(id, [...attempts, 'echo x > own; cat own'].join('\n'));
    expect(output).toBe('x\n');
  },
);
