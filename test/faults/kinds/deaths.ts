import { setTimeout as delay } from 'node:timers/promises';
import { SERVICES, type ServiceName } from '../../support';
import type { Service } from '../support/service';
import type { Server } from '../support/servers';
import type { Fault, Scene } from './fault';

/** The steps that the provisioner journals. */
const STEPS = ['quiesce', 'snapshot', 'verify', 'teardown', 'create', 'restore', 'ready'] as const;
const MOMENT_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 10;

/** Ends them with SIGKILL, leaves them dead for a while, and starts them again. */
async function killed(services: readonly Service[], downMs: number): Promise<void> {
  await Promise.all(services.map((service) => service.end('SIGKILL')));
  await delay(downMs);
  for (const service of services) service.start();
}

const anyTime = (service: ServiceName): Fault => ({
  kind: 'kill -9 of a service, at random',
  name: service,
  strike: async ({ fleet }, random) => {
    const victim = random.pick(fleet.replicasOf(service));
    await killed([victim], random.between(0, 4_000));
  },
});

const all: Fault = {
  kind: 'kill -9 of all services at once',
  name: 'all services',
  strike: async ({ fleet }, random) => killed(fleet.services, random.between(0, 4_000)),
};

const inOrder = (service: ServiceName): Fault => ({
  kind: 'SIGTERM of a service',
  name: service,
  strike: async ({ fleet }, random) => {
    const victim = random.pick(fleet.replicasOf(service));
    await victim.end('SIGTERM');
    victim.start();
  },
});

/** The moment is when the journal says that a step has begun, and that it has not ended. */
const atStep = (service: ServiceName, step: (typeof STEPS)[number]): Fault => ({
  kind: `kill -9 at a journalled step: ${step}`,
  name: `${service} at ${step}`,
  strike: async (scene, random) => {
    const worker = await workerAt(step, scene);
    if (worker === null) return null;
    const replicas = scene.fleet.replicasOf(service);
    // The worker's name has its pid in it.
    const working = replicas.filter(({ pid }) => pid !== undefined && worker.includes(`-${pid}-`));
    await killed(service === 'provisioner' && working.length > 0 ? working : replicas, random.between(0, 3_000));
    return undefined;
  },
});

async function workerAt(step: string, { fleet, over }: Scene): Promise<string | null> {
  for (const until = Date.now() + MOMENT_WITHIN_MS; Date.now() < until && !over.aborted; await delay(LOOK_EVERY_MS)) {
    // The database may be away just now.
    const rows = await fleet.ground
      .sql<{ worker: string }>(
        `SELECT s.worker FROM provisioner.job_steps s JOIN provisioner.jobs j ON j.id = s.job_id AND j.status = 'running'
          WHERE s.step = $1 AND s.status = 'started' LIMIT 1`,
        [step],
      )
      .catch(() => []);
    if (rows[0]) return rows[0].worker;
  }
  return null;
}

const server = (which: Server, how: 'restarted' | 'killed'): Fault => ({
  kind: `${which === 'broker' ? 'RabbitMQ' : 'PostgreSQL'} ${how}`,
  name: which,
  strike: async ({ servers }, random) => {
    await (how === 'killed' ? servers.kill(which) : servers.stop(which));
    await delay(random.between(0, 3_000));
    await servers.start(which);
  },
});

/** What ends processes. */
export const DEATHS: readonly Fault[] = [
  ...SERVICES.map(anyTime),
  ...SERVICES.map(inOrder),
  ...STEPS.flatMap((step) => SERVICES.map((service) => atStep(service, step))),
  // The worker itself most of all.
  ...STEPS.map((step) => atStep('provisioner', step)),
  all,
  server('broker', 'restarted'),
  server('broker', 'killed'),
  server('database', 'restarted'),
  server('database', 'killed'),
];
