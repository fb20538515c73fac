import { setTimeout as delay } from 'node:timers/promises';
import { Stuck } from './actors/witness';
import { WorkspaceActor } from './actors/workspace-actor';
import { TenantOfRun } from './actors/tenants';
import type { World } from './actors/world';
import { DEATHS } from './kinds/deaths';
import type { Scene } from './kinds/fault';
import { HINDRANCES } from './kinds/hindrances';
import { inflict } from './schedule';
import { Bus } from './support/bus';
import { Checks } from './support/checks';
import { Fleet } from './support/fleet';
import { Ledger } from './support/ledger';
import { PodsWatch } from './support/pods-watch';
import { Random } from './support/random';
import { Rest, Unanswered } from './support/rest';
import { Servers } from './support/servers';

export interface RunOptions {
  seed: string;
  minutes: number;
  /** So many operations at least, however long that takes beyond the minutes. */
  operations: number;
  workspaces: number;
  /** Where the run's own servers keep what they keep. */
  serversState: string;
  tell: (line: string) => void;
}

const TENANTS = 4;
/** What a user does between two steps, seconds. */
const PAUSE_SECONDS: [number, number] = [0, 4];
/** How often a step is one without having paid, which keeps everybody else of the tenant waiting. */
const UNPAID_PROBABILITY = 0.02;
/** However many operations are asked for, it is not longer than this many times the minutes. */
const LONGEST = 2;

/** How long, at most, what was killed has to come up before the next is; so that a slow machine sees users at work, too. */
const UP_AGAIN_MS = 30_000;

/** After the last fault: how often messages are looked for that wait for minutes, and how often those who wait are told, with so many of them. */
const HASTEN_EVERY_MS = 2_000;
const TELL_EVERY_MS = 15_000;
const WAITS_TOLD = 4;

interface Member {
  tenant: TenantOfRun;
  draws: Random;
  actor: WorkspaceActor;
  /** Whether he is the first of his tenant's, who does not pay at first. */
  debtor: boolean;
}

/** Runs users and faults side by side for a time, then lets all come to rest and compares what is left with the invariants. */
export async function run(options: RunOptions): Promise<Ledger> {
  const ledger = new Ledger(options.tell);
  const random = new Random(options.seed);
  const fleet = new Fleet(options.serversState, ledger);
  let pods: PodsWatch | undefined;
  let bus: Bus | undefined;
  try {
    await fleet.start();
    const admin = new URL(fleet.ground.adminBrokerUrl);
    await fleet.ground.management.letImpersonate(decodeURIComponent(admin.username), decodeURIComponent(admin.password));
    bus = new Bus(fleet.ground.brokerUrl('publisher'), fleet.ground.adminBrokerUrl);
    await bus.open();
    pods = new PodsWatch(fleet.agentPath, ledger);
    await play(options, random, { fleet, pods, bus, ledger, servers: new Servers(options.serversState) });
  } finally {
    pods?.end();
    await bus?.close();
    const keep = ledger.violations.length > 0;
    if (keep) ledger.note(`the logs are kept in ${fleet.directory}/logs`);
    await fleet.stop({ keep });
  }
  return ledger;
}

async function play(options: RunOptions, random: Random, parts: Omit<Scene, 'over'>): Promise<void> {
  const { fleet, pods, bus, ledger } = parts;
  const over = new AbortController();
  const accepted = new Map<string, string>();
  const untold = new Map<string, string>();
  const world: World = {
    ledger,
    bus,
    pods,
    accepted: (operation, workspace) => void accepted.set(operation, workspace),
    untold: (correlationId, what) => void untold.set(correlationId, what),
  };
  const tenants = await Promise.all(Array.from({ length: TENANTS }, () => TenantOfRun.make(fleet, bus, ledger)));
  const cast = await Promise.all(
    Array.from({ length: options.workspaces }, async (_, n): Promise<Member> => {
      const [tenant, stranger] = [tenants[n % TENANTS]!, tenants[(n + 1) % TENANTS]!];
      const draws = random.fork(`workspace ${n}`);
      return { tenant, draws, debtor: n < TENANTS, actor: await WorkspaceActor.create(world, tenant, stranger, draws, n) };
    }),
  );
  ledger.note(`${cast.length} workspaces of ${TENANTS} tenants are up: the faults begin`);

  const scene = { ...parts, over: over.signal };
  const lanes = [
    inflict(DEATHS, random.fork('deaths'), scene, { upAgainMs: UP_AGAIN_MS }),
    inflict(HINDRANCES, random.fork('hindrances'), scene),
  ];
  const begun = Date.now();
  const enough = () => {
    const minutes = (Date.now() - begun) / 60_000;
    return minutes >= options.minutes && (ledger.total('operations') >= options.operations || minutes >= options.minutes * LONGEST);
  };
  const users = cast.map((member) => use(member, ledger, enough));
  const allUsers = Promise.all(users.map((user) => user.catch((error: unknown) => ledger.note(String(error)))));
  await whenOver(enough, over);
  const atRest = new AbortController();
  const meanwhile = [repeatedly(TELL_EVERY_MS, atRest.signal, () => tellWaits(ledger))];
  try {
    await Promise.all(lanes);
    ledger.count('run', 'minutes with faults', Math.round((Date.now() - begun) / 6_000) / 10);
    await ledger.waits.during('everything to be there again', () => restored(scene));
    meanwhile.push(repeatedly(HASTEN_EVERY_MS, atRest.signal, () => hasten(bus, ledger)));
    ledger.note('no more faults: users finish what they have begun');
    await allUsers;
    ledger.note('no more users: everything comes to rest');
    await compare(parts, cast, tenants, accepted, untold);
  } finally {
    atRest.abort();
    await Promise.all(meanwhile);
  }
}

/** Holds what is left against the invariants. */
async function compare(
  { fleet, ledger, pods, bus }: Omit<Scene, 'over'>,
  cast: readonly Member[],
  tenants: readonly TenantOfRun[],
  accepted: ReadonlyMap<string, string>,
  untold: ReadonlyMap<string, string>,
): Promise<void> {
  const checks = new Checks(fleet, ledger, pods, bus, fleet.ground.management);
  await checks.quiet();
  const token = fleet.issuer.token({ org: 'reprise', sub: 'olga', permissions: ['ops:read', 'ops:write'] });
  await checks.replay(new Rest(fleet.apiUrl, 'operators', token, ledger));
  await Promise.all(cast.map(({ actor }) => finished(() => actor.final(), ledger)));
  await checks.quiet();
  await checks.operations(accepted);
  await checks.onePod();
  await checks.savedFirst();
  ledger.count('run', 'snapshots compared on the disk', await checks.snapshots());
  await checks.messages();
  await checks.told(untold);
  const owned = new Map(tenants.map((tenant) => [tenant, cast.filter((member) => member.tenant === tenant).map(({ actor }) => actor.id)]));
  await checks.tenants(tenants, owned);
  ledger.count('run', 'looks at all pods', pods.looks);
}

/** A user at his workspace until the time is over. */
async function use({ tenant, draws, actor, debtor }: Member, ledger: Ledger, enough: () => boolean): Promise<void> {
  // One of each tenant's begins with it, so that also a short run has seen it.
  let due = debtor;
  const unpaid = async () => {
    due = !(await actor.unpaidStep());
  };
  while (!enough()) {
    const going =
      due || draws.chance(UNPAID_PROBABILITY)
        ? await tenant.door.byItself(() => finished(unpaid, ledger))
        : await tenant.door.together(() => finished(() => actor.step(), ledger));
    if (!going) return;
    await delay(draws.between(...PAUSE_SECONDS) * 1000);
  }
}

/** @returns whether to go on */
async function finished(work: () => Promise<void>, ledger: Ledger): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof Stuck) return false;
    ledger.check(10, !(error instanceof Unanswered), () => (error as Error).message);
    // Anything else is a step that could not be judged: an answer that no rule foresees.
    if (!(error instanceof Unanswered)) ledger.check(9, false, () => `an answer that was not foreseen: ${(error as Error).stack}`);
    return false;
  }
}

async function whenOver(enough: () => boolean, over: AbortController): Promise<void> {
  while (!enough()) await delay(250);
  over.abort();
}

/** Again and again, whether it succeeds or not. */
async function repeatedly(everyMs: number, end: AbortSignal, work: () => void | Promise<void>): Promise<void> {
  while (!end.aborted) {
    await delay(everyMs, undefined, { signal: end }).catch(() => undefined);
    if (!end.aborted) await Promise.resolve(work()).catch(() => undefined);
  }
}

async function hasten(bus: Bus, ledger: Ledger): Promise<void> {
  const sent = await bus.hasten();
  if (sent > 0) ledger.note(`${sent} messages that waited for their last attempt were sent on`);
}

function tellWaits(ledger: Ledger): void {
  const waits = ledger.waits.longest(WAITS_TOLD);
  if (waits.length > 0) ledger.note(`waiting for ${waits.join('; ')}`);
}

/** Whatever was taken away is there again. */
async function restored({ fleet, servers }: Scene): Promise<void> {
  fleet.spoilAgents(null);
  fleet.disk.makeRoom();
  await Promise.all(fleet.ways.map((way) => way.clear()));
  await servers.start('broker');
  await servers.start('database');
  for (const service of fleet.services) service.start();
  await Promise.all(fleet.services.map((service) => service.ready(120_000)));
}
