import type { Advance } from '../../../src/jobs/transition';
import { JobsService } from '../../../src/jobs/jobs.service';
import { Replica } from './replica';
import { waitFor } from './wait-for';
import { aMessage, type EventRow, Workspace, World } from './world';

export type Kind = 'create' | 'replace' | 'remove' | 'salvage';

/** How many moves each kind of job makes when nothing goes wrong: one more than it has steps. */
const MOVES: Record<Kind, number> = { create: 4, replace: 8, remove: 5, salvage: 8 };

/** As many jobs as one machine makes pods for without starving its database's connections. */
const AT_ONCE = 8;

interface Place {
  kind: Kind;
  move: number;
  when: 'before' | 'after';
}

/** Every place between two statements at which the worker of a job of these kinds can die: each is died at, all at the same time. */
export function survivesEveryDeathIn(...kinds: readonly Kind[]): void {
  const places: Place[] = kinds.flatMap((kind) =>
    Array.from({ length: MOVES[kind] }, (_, at) => (['before', 'after'] as const).map((when) => ({ kind, move: at + 1, when }))).flat(),
  );
  describeDeathsAt(places);
}

function describeDeathsAt(places: readonly Place[]): void {
  describe('a worker that is killed', () => {
    let world: World;
    let survivor: Replica;
    const workspaces = places.map(() => undefined as unknown as Workspace);
    const ends = places.map(() => undefined as unknown as EventRow);

    beforeAll(async () => {
      world = await World.make();
      const env = { WORKER_CONCURRENCY: String(AT_ONCE) };
      const first = await Replica.start(world, { env });
      const snapshots = await Promise.all(
        places.map(async ({ kind }, at) => {
          const workspace = (workspaces[at] = new Workspace(world));
          await workspace.create(first);
          await world.sh(workspace.id, 'echo kept > file; chmod 600 file');
          if (kind === 'salvage') await world.kill(workspace.id);
          return kind === 'create' ? ((await workspace.remove(first)).data.snapshot_id as string) : null;
        }),
      );
      await first.stop();

      // Those that have died stay in its hands: it has room for all of them, and is given only so many at a time.
      const roomy = { ...env, WORKER_CONCURRENCY: '64' };
      const mortal = await Replica.start(world, { env: roomy, dies: atItsPlace(places, workspaces) });
      const jobs = mortal.get(JobsService);
      for (const [at, workspace] of workspaces.entries()) {
        const { kind } = places[at]!;
        if (kind === 'create') await jobs.create(workspace.createCommand(snapshots[at]), aMessage());
        if (kind === 'salvage') await jobs.create(workspace.createCommand(), aMessage());
        if (kind === 'replace') await jobs.replace(workspace.replaceCommand(), aMessage());
        if (kind === 'remove') await jobs.remove(workspace.removeCommand(), aMessage());
        await waitFor(() => mortal.jobs.died.size > at - AT_ONCE, 'the deaths of those before', 60_000);
      }
      await waitFor(() => mortal.jobs.died.size === places.length, 'all deaths', 60_000);
      await mortal.kill();

      await world.expireLeases();
      survivor = await Replica.start(world, { env });
      await Promise.all(workspaces.map(async (workspace, at) => (ends[at] = await workspace.ended())));
    }, 300_000);

    afterAll(async () => {
      await survivor?.stop();
      await world?.end();
    });

    it.each(places.map((place, at) => ({ ...place, at })))(
      '$when move $move of a $kind: another replica goes on, one pod, the files the same',
      async ({ kind, at }) => {
        const workspace = workspaces[at]!;
        const { generation } = workspace;
        const told = (await world.events(workspace.id)).filter(
          (e) => e.data.generation === generation && e.type !== 'reprise.pod.step-changed.v1',
        );
        expect(told).toHaveLength(1);
        expect((await world.journal(workspace.id, generation)).filter((line) => line.endsWith('started'))).toEqual([]);

        if (kind === 'remove') {
          expect(ends[at]!.type).toBe('reprise.pod.removed.v1');
          expect(await world.alive(workspace.id)).toEqual([]);
          await workspace.create(survivor, ends[at]!.data.snapshot_id as string);
        } else {
          expect(ends[at]!.type).toBe('reprise.pod.ready.v1');
          if (kind === 'salvage') expect(ends[at]!.data).toMatchObject({ state_from: 'salvage' });
        }
        expect(await world.alive(workspace.id)).toMatchObject([{ generation: workspace.generation }]);
        expect(await world.sh(workspace.id, 'stat -c %a file; cat file')).toBe('600\nkept\n');
      },
    );
  });
}

/** The worker of each job dies right before or after it writes the move that its place names. */
function atItsPlace(places: readonly Place[], workspaces: readonly Workspace[]): (advance: Advance, when: 'before' | 'after') => boolean {
  const moves = new Map<string, number>();
  return ({ job }, when) => {
    const place = places[workspaces.findIndex(({ id }) => id === job.workspaceId)]!;
    if (when === 'before') moves.set(job.id, (moves.get(job.id) ?? 0) + 1);
    return moves.get(job.id) === place.move && place.when === when;
  };
}
