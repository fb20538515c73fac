import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { headOf, tarOf } from '../testing/tars';
import { Replica, type ReplicaOptions } from './support/replica';
import { Workspace, World } from './support/world';

describe('a task that stands in for its agent', () => {
  let world: World;
  let replica: Replica | undefined;
  const servers: Server[] = [];

  beforeAll(async () => {
    world = await World.make();
  });
  afterEach(async () => {
    await replica?.stop();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  afterAll(async () => world?.end());

  async function created(options: ReplicaOptions = {}): Promise<Workspace> {
    replica = await Replica.start(world, options);
    const workspace = new Workspace(world);
    await workspace.create(replica);
    return workspace;
  }

  /** Writes the address of a server of its own where the agent tells its own, as a task can, and answers a snapshot with this. */
  async function standIn({ id }: Workspace, snapshot: (response: ServerResponse) => void): Promise<() => void> {
    const server = createServer((request, response) => {
      request.resume();
      if (request.url!.startsWith('/v1/snapshot')) return snapshot(response);
      const status = request.url === '/v1/resume-work' ? 'ready' : 'quiesced';
      const health = { status, workspace_id: id, generation: 1, task_id: null, interrupted_task_id: null };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(health));
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const file = join(world.podsDir, id, '1', 'told', 'agent.json');
    const before = readFileSync(file, 'utf8');
    const { pid } = JSON.parse(before) as { pid: number };
    writeFileSync(file, JSON.stringify({ pid, port: (server.address() as AddressInfo).port }));
    return () => writeFileSync(file, before);
  }

  async function objectsOf({ id }: Workspace): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of world.store.list(`${id}/`)) keys.push(key);
    return keys;
  }

  it.each(['2.5', '1e300'])('and tells %s entries has its snapshot refused as often as any step is tried', async (entries) => {
    const workspace = await created();
    const tar = await tarOf([{ name: './', type: 'directory' }], [{ name: 'file' }, 'x']);
    const leave = await standIn(workspace, (response) => {
      response.writeHead(200, { trailer: 'x-reprise-sha256, x-reprise-entries' });
      response.addTrailers({ 'x-reprise-sha256': createHash('sha256').update(tar).digest('hex'), 'x-reprise-entries': entries });
      response.end(tar);
    });
    const failed = await workspace.replace(replica!);
    expect(failed.data).toMatchObject({ pod_kept: true, step: 'snapshot', code: 'snapshot_failed' });
    expect(failed.data.message).toContain('bad_answer');
    expect(await world.journal(workspace.id, 2)).toEqual([
      'quiesce 1 succeeded',
      'snapshot 1 failed',
      'snapshot 2 failed',
      'snapshot 3 failed',
    ]);
    expect(await objectsOf(workspace)).toEqual([]);
    leave();
  });

  it('and sends more than a snapshot may have is stopped, and nothing of it is kept', async () => {
    const workspace = await created({ env: { SNAPSHOT_MAX_MB: '16' } });
    let sent = 0;
    const head = await headOf({ name: 'a' }, 1024 ** 3);
    const leave = await standIn(workspace, (response) => {
      response.writeHead(200, { trailer: 'x-reprise-sha256, x-reprise-entries' });
      response.write(head);
      const more = (): void => {
        while (!response.destroyed && sent < 1024 && response.write(Buffer.alloc(1024 * 1024, sent))) sent += 1;
      };
      response.on('drain', more);
      more();
    });
    const failed = await workspace.replace(replica!);
    expect(failed.data).toMatchObject({ pod_kept: true, step: 'snapshot', code: 'snapshot_too_large' });
    expect(await world.journal(workspace.id, 2)).toEqual(['quiesce 1 succeeded', 'snapshot 1 failed']);
    expect(sent).toBeLessThan(64);
    expect(await objectsOf(workspace)).toEqual([]);
    leave();
  });

  it('and whatever else the database refuses for what it is fails its step, and is not run again without end', async () => {
    const spoil: ReplicaOptions['dies'] = ({ snapshots }) => {
      for (const change of snapshots) if (change.record) Object.assign(change.record, { entries: 2.5 });
      return false;
    };
    const workspace = await created({ dies: spoil });
    const failed = await workspace.replace(replica!);
    expect(failed.data).toMatchObject({ pod_kept: true, step: 'snapshot', code: 'snapshot_failed' });
    expect(failed.data.message).toContain('invalid input syntax for type integer');
    expect(await world.journal(workspace.id, 2)).toEqual([
      'quiesce 1 succeeded',
      'snapshot 1 failed',
      'snapshot 2 failed',
      'snapshot 3 failed',
    ]);
  });

  it('and what is refused when it is read back is deleted at once', async () => {
    const spoil: ReplicaOptions['dies'] = ({ snapshots }) => {
      for (const change of snapshots) if (change.record) Object.assign(change.record, { entries: 7 });
      return false;
    };
    const workspace = await created({ dies: spoil });
    expect((await workspace.replace(replica!)).data).toMatchObject({ pod_kept: true, step: 'verify', code: 'verify_failed' });
    expect(await objectsOf(workspace)).toEqual([]);
  });
});
