import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, fill, promise, ROOT, useStack } from './support';

const stack = useStack({
  ownDisk: true,
  // Chosen by name, it is no finding, and works on any machine.
  settings: { provisioner: { RECONCILE_INTERVAL_SECONDS: '1', STEP_ATTEMPTS: '1', POD_ISOLATION: 'environment' } },
});
const WITH_HEALTH = ['lifecycle', 'provisioner', 'billing', 'deadletters'] as const;

interface Said {
  code: number;
  ok: boolean;
  findings: { code: string; what: string; since: string | null; do: string }[];
}

/** A command of an operator, in a process of its own: it must end by itself, whatever hangs. */
function reprise(verb: 'doctor' | 'status'): Promise<Said> {
  const { AMQP_URL, DATABASE_URL } = stack.ground.values;
  const health = WITH_HEALTH.map((name) => `${name.toUpperCase()}_HEALTH_URL=${stack.service(name).url}`);
  const file = join(stack.directory, 'operator.env');
  writeFileSync(file, [`AMQP_URL=${AMQP_URL}`, `DATABASE_URL=${DATABASE_URL}`, `GATEWAY_URL=${stack.api.base}`, ...health].join('\n'));
  return new Promise((resolve, reject) => {
    const args = [join(ROOT, 'cli/dist/main.js'), verb, '--json', '--env-file', file];
    execFile(process.execPath, args, { cwd: stack.directory }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      if (!stdout.startsWith('{')) return reject(new Error(`${verb} ended with ${code}: ${stderr}`));
      resolve({ code, ...(JSON.parse(stdout) as Omit<Said, 'code'>) });
    });
  });
}

/** Both commands look at the same things. */
async function bothFind(code: string): Promise<Said['findings'][number]> {
  const found = await eventually(async () => {
    const [doctor, status] = await Promise.all([reprise('doctor'), reprise('status')]);
    for (const said of [doctor, status]) {
      expect(said.findings.map((finding) => finding.code)).toContain(code);
      expect(said).toMatchObject({ code: 1, ok: false });
    }
    return doctor.findings.find((finding) => finding.code === code)!;
  }, PATIENCE);
  expect(found.do).toMatch(/\w/);
  return found;
}

/** Each look starts two processes; several of them make a promise. */
const PROMISE_WITHIN_MS = 240_000;
const PATIENCE = { within: 100_000, every: 500 };
const healthy = () =>
  eventually(async () => {
    const said = await Promise.all([reprise('doctor'), reprise('status')]);
    for (const each of said) expect(each).toMatchObject({ code: 0, ok: true, findings: [] });
  }, PATIENCE);

promise(
  'doctor and status find nothing wrong with an installation at work, and exit with 0',
  async () => {
    const { alice } = await stack.tenant();
    const { id } = await alice.workspace();
    await alice.run(id, 'echo at work');
    await healthy();
  },
  PROMISE_WITHIN_MS,
);

promise(
  'doctor and status count dead letters that are collected and wait for an operator',
  async () => {
    const { org } = await stack.tenant();
    for (let n = 0; n < 8; n++) {
      await stack.publisher.publish({ type: 'reprise.workspace.restart.v1', org, data: {}, raw: Buffer.from('{"workspace_id": ') });
    }
    await eventually(async () => {
      const { what, since, do: remedy } = await bothFind('dead_letters');
      expect(what).toMatch(/^8 dead letters in 1 group wait for an operator: 8 × reprise\.workspace\.restart\.v1 in lifecycle\.commands/);
      expect(Date.parse(since!)).toBeLessThanOrEqual(Date.now());
      expect(remedy).toBe('reprise dead groups');
    }, PATIENCE);
    await stack.ground.sql(`UPDATE deadletters.dead_letters SET status = 'discarded'`);
    await healthy();
  },
  PROMISE_WITHIN_MS,
);

promise(
  'doctor and status tell a snapshot store that fails, the workspace that was not saved, and that both are well again',
  async () => {
    const { alice } = await stack.tenant();
    const { id } = await alice.workspace();
    fill(stack.pod(id).files, { megabytes: 3 });
    stack.snapshotDisk.fillUp();
    try {
      expect(await bothFind('snapshot_store_fails')).toMatchObject({ what: expect.stringMatching(/^the snapshot store fails: \w/) });
      expect(await alice.ended(await alice.begin(id, 'restart'))).toMatchObject({ status: 'failed' });
      expect((await bothFind('workspaces_unsaved')).what).toContain(id);
    } finally {
      stack.snapshotDisk.makeRoom();
    }
    await alice.restart(id);
    await healthy();
  },
  PROMISE_WITHIN_MS,
);

promise(
  'doctor and status name a service that hangs, and end themselves all the same',
  async () => {
    const billing = stack.service('billing');
    billing.signal('SIGSTOP');
    try {
      expect((await bothFind('service_silent')).what).toMatch(/^billing does not answer: no answer within \d+ s$/);
    } finally {
      billing.signal('SIGCONT');
    }
  },
  PROMISE_WITHIN_MS,
);

promise(
  'doctor and status name a service that is gone, and nothing once it is back',
  async () => {
    await stack.service('deadletters').kill();
    expect((await bothFind('service_down')).what).toMatch(/^deadletters is down/);
    await stack.service('deadletters').start();
    await healthy();
  },
  PROMISE_WITHIN_MS,
);

promise(
  'doctor answers although every service hangs, and then says so with the exit code for findings',
  async () => {
    const all = [...WITH_HEALTH, 'gateway'] as const;
    for (const name of all) stack.service(name).signal('SIGSTOP');
    try {
      const { code, findings } = await reprise('doctor');
      expect(code).toBe(1);
      expect(findings.filter((finding) => finding.code === 'service_silent')).toHaveLength(all.length);
    } finally {
      for (const name of all) stack.service(name).signal('SIGCONT');
    }
    await healthy();
  },
  PROMISE_WITHIN_MS,
);

promise(
  'doctor and status name a failed workspace with its reason and the command that resumes it',
  async () => {
    const { alice, org } = await stack.tenant();
    const { id } = await alice.workspace();
    process.kill(stack.pod(id).pid, 'SIGKILL');
    await alice.reach(id, 'failed');
    const { what, do: remedy } = await bothFind('workspaces_failed');
    expect(what).toMatch(new RegExp(`^1 workspace failed \\(pod_lost: .*\\): ${id} of ${org}$`));
    expect(remedy).toContain(`/v1/workspaces/${id}/resume`);
    await alice.resume(id);
    await healthy();
  },
  PROMISE_WITHIN_MS,
);
