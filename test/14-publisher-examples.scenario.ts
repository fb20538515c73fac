import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { newId } from '@reprise/contracts';
import { fill, promise, ROOT, treeOf, useStack } from './support';
import { findPika } from './support/pika';

const stack = useStack();
const pika = findPika();

interface Example {
  name: string;
  command: string[];
  env: Record<string, string>;
  /** Why this machine cannot run it. */
  missing?: string;
}

const EXAMPLES: Example[] = [
  { name: 'the example for Node', command: [process.execPath, join(ROOT, 'examples/publisher-node/restart.mjs')], env: {} },
  {
    name: 'the example for Python',
    command: ['python3', join(ROOT, 'examples/publisher-python/restart.py')],
    ...('path' in pika ? { env: pika.path ? { PYTHONPATH: pika.path } : {} } : { env: {}, missing: pika.missing }),
  },
];

for (const { name, command, env, missing } of EXAMPLES) {
  if (missing !== undefined) {
    test.skip(`${name}: ${missing}`, () => undefined);
    continue;
  }
  /** Runs it as its reader would, with the address that `.reprise/env` gives. */
  const run = (args: string[], url: string | undefined = stack.ground.brokerUrl('publisher')) =>
    ended([...command, ...args], { ...env, ...(url === undefined ? {} : { PUBLISHER_AMQP_URL: url }) });

  describe(name, () => {
    promise('restarts a workspace, waits until it is up again, and ends with 0', async () => {
      const { alice, org } = await stack.tenant();
      const { id } = await alice.workspace();
      fill(stack.pod(id).files, { megabytes: 1 });
      const tree = treeOf(stack.pod(id).files);
      const { code, out, err } = await run(['--org', org, '--workspace', id, '--actor', 'alice']);
      const [, operation = ''] = /^succeeded: (op_\w+)\n$/.exec(out) ?? [];
      expect({ code, err }).toEqual({ code: 0, err: `accepted: ${operation}\n` });
      expect(await alice.operation(operation)).toMatchObject({
        status: 'succeeded',
        workspace_id: id,
        requested_by: 'service:reprise_publisher/alice',
      });
      expect(treeOf(stack.pod(id).files)).toEqual(tree);
    });

    promise('says why it was refused, and ends with 1; with force it is not', async () => {
      const { alice, org } = await stack.tenant();
      const { id } = await alice.workspace();
      await alice.running(id, 'sleep 600');
      expect(await run(['--org', org, '--workspace', id])).toEqual({
        code: 1,
        out: '',
        err: expect.stringMatching(/^refused \(workspace_busy\): .+\n$/),
      });
      expect(await run(['--org', org, '--workspace', id, '--force'])).toMatchObject({ code: 0 });
    });

    promise('hears at once that its command became a dead letter, and ends with 1', async () => {
      expect(await run(['--org', 'no tenant', '--workspace', newId('workspace')])).toEqual({
        code: 1,
        out: '',
        err: expect.stringMatching(/^a dead letter \(invalid\): The header cloudEvents_orgid must name the tenant.*\n$/),
      });
    });

    promise('says what happened where there is no outcome, no broker, no right or no address, and ends with 1', async () => {
      const wrong = ['--org', 'acme', '--workspace', newId('workspace'), '--timeout', '2'];
      await stack.service('lifecycle').stop();
      try {
        expect(await run(wrong)).toEqual({ code: 1, out: '', err: expect.stringMatching(/^no outcome within 2 s.*\n$/) });
      } finally {
        await stack.service('lifecycle').start();
      }
      expect(await run(wrong, '')).toEqual({ code: 1, out: '', err: expect.stringMatching(/^PUBLISHER_AMQP_URL is not set.*\n$/) });
      const stranger = new URL(stack.ground.brokerUrl('publisher'));
      stranger.password = 'wrong';
      const nowhere = new URL(stack.ground.brokerUrl('publisher'));
      nowhere.port = '1';
      for (const { href } of [stranger, nowhere]) {
        expect(await run(wrong, href)).toEqual({ code: 1, out: '', err: expect.stringMatching(/^cannot restart: .+\n$/) });
      }
    });
  });
}

/** What a program has said when it ended. */
function ended([program = '', ...args]: string[], env: Record<string, string>): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(program, args, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}
