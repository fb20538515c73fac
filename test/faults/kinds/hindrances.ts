import { setTimeout as delay } from 'node:timers/promises';
import { SERVICES, type ServiceName } from '../../support';
import type { Random } from '../support/random';
import type { Trouble } from '../support/way';
import type { Fault, Scene } from './fault';

const QUEUES = ['lifecycle.commands', 'lifecycle.events', 'provisioner.commands', 'billing.commands'];
const AGENT_WAYS = ['garbage', 'empty-object', 'html-500', 'hang-up', 'silence', 'half-a-body', 'flipped-byte', 'itself'];

/** For so long, or until the run is over. */
async function hold(ms: number, { over }: Scene): Promise<void> {
  await delay(ms, undefined, { signal: over }).catch(() => undefined);
}

/** The network between a service and another part; of the replicas, one. */
const network = (from: string, to: string, kind: Trouble['kind']): Fault => ({
  kind: `network ${{ cut: 'cut', delay: 'delayed', throttle: 'throttled' }[kind]}`,
  name: `${from}–${to}`,
  strike: async (scene, random) => {
    const way = random.pick(scene.fleet.ways.filter(({ name }) => new RegExp(`^${from}(-\\d)?–${to}$`).test(name)));
    const trouble = troubleOf(kind, random);
    try {
      await way.hinder(trouble);
      await hold(random.between(1_000, 8_000), scene);
    } finally {
      await way.clear();
    }
    return `${way.name} ${JSON.stringify(trouble)}`;
  },
});

function troubleOf(kind: Trouble['kind'], random: Random): Trouble {
  if (kind === 'cut') return { kind };
  if (kind === 'delay') return { kind, ms: random.between(50, 800) };
  return { kind, bytesPerSecond: random.between(2_000, 40_000) };
}

const duplicates: Fault = {
  kind: 'messages duplicated',
  name: 'commands and events',
  strike: async ({ bus }, random) => {
    const count = random.between(5, 60);
    // Both the newest ones, which may be in hand, and older ones, whose time is over.
    const sent = await bus.duplicate((recent) => (random.chance(0.5) ? recent.slice(-count) : random.shuffled(recent).slice(0, count)));
    return `${sent} messages`;
  },
};

const reordered = (queue: string): Fault => ({
  kind: 'messages reordered',
  name: queue,
  strike: async ({ bus }, random) => {
    const moved = await bus.reorder(queue, random.between(3, 15), random.between(500, 3_000));
    return moved > 1 ? `${moved} messages of ${queue}` : null;
  },
});

const fullDisk: Fault = {
  kind: 'snapshot disk full',
  name: 'snapshot disk',
  strike: async (scene, random) => {
    scene.fleet.disk.fillUp();
    try {
      await hold(random.between(2_000, 10_000), scene);
    } finally {
      scene.fleet.disk.makeRoom();
    }
  },
};

const spoiled: Fault = {
  kind: 'agents answer garbage',
  name: 'all agents',
  strike: async (scene, random) => {
    const ways = Array.from({ length: 12 }, () => random.pick(AGENT_WAYS));
    scene.fleet.spoilAgents(ways);
    try {
      await hold(random.between(2_000, 8_000), scene);
    } finally {
      scene.fleet.spoilAgents(null);
    }
    return ways.join(', ');
  },
};

const hung: Fault = {
  kind: 'agents hang',
  name: 'some agents',
  strike: async (scene, random) => {
    const pods = random.shuffled(scene.pods.all()).slice(0, random.between(1, 8));
    const signal = (name: NodeJS.Signals) => {
      for (const { pid } of pods) {
        try {
          process.kill(pid, name);
        } catch {
          // It has gone meanwhile.
        }
      }
    };
    signal('SIGSTOP');
    try {
      await hold(random.between(2_000, 25_000), scene);
    } finally {
      signal('SIGCONT');
    }
    return `${pods.length} agents`;
  },
};

const crashed: Fault = {
  kind: 'agents crash',
  name: 'some agents',
  strike: ({ pods }, random) => {
    const victims = random.shuffled(pods.all()).slice(0, random.between(1, 4));
    for (const pod of victims) pods.crash(pod);
    return Promise.resolve(`${victims.length} agents`);
  },
};

/** One replica believes that it is earlier or later than it is. */
const clockOff = (service: ServiceName): Fault => ({
  kind: 'clock of a service off',
  name: service,
  strike: async (scene, random) => {
    const victim = random.pick(scene.fleet.replicasOf(service));
    const seconds = random.pick([-20, -5, 5, 20]);
    await victim.end('SIGTERM');
    victim.start({ CLOCK_OFFSET_MS: String(seconds * 1000) });
    try {
      await hold(random.between(5_000, 20_000), scene);
    } finally {
      await victim.end('SIGTERM');
      victim.start();
    }
    return `${victim.name} by ${seconds} s`;
  },
});

const WITH_DATABASE = SERVICES.filter((name) => name !== 'gateway');
const PAIRS: [string, string][] = [
  ...SERVICES.map((name): [string, string] => [name, 'broker']),
  ...WITH_DATABASE.map((name): [string, string] => [name, 'database']),
  ['pods', 'gateway'],
  ['callers', 'gateway'],
];

/** What stands in the way of those that live. */
export const HINDRANCES: readonly Fault[] = [
  ...PAIRS.flatMap(([from, to]) => (['cut', 'delay', 'throttle'] as const).map((kind) => network(from, to, kind))),
  ...Array.from({ length: 3 }, () => duplicates),
  ...QUEUES.map(reordered),
  fullDisk,
  spoiled,
  hung,
  crashed,
  ...SERVICES.map(clockOff),
];
