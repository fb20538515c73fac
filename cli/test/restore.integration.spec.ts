import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { QUEUE } from '@reprise/contracts';
import { deadQueueOf, RETRY_DELAYS, retryQueueOf } from '@reprise/messaging';
import type { Manifest } from '../src/backup/manifest';
import { record, type Recorded } from '../src/testing/recorder';
import { FilledInstance } from './support/filled-instance';

const directory = mkdtempSync(join(tmpdir(), 'reprise-restore-'));
const instances: FilledInstance[] = [];
/** Of one instance, made once: what it held then, and the folder. */
let source: FilledInstance;
let held: Record<string, string[]>;
const backup = join(directory, 'backup');

async function instance(name: string): Promise<FilledInstance> {
  const made = await FilledInstance.create(join(directory, name));
  instances.push(made);
  return made;
}

const backUp = (of: FilledInstance, folder: string, env = {}): Promise<Recorded> =>
  record(['backup', '--to', folder, '--json'], { ...of.env, ...env });
const restore = (into: FilledInstance, folder: string, ...options: string[]): Promise<Recorded> =>
  record(['restore', '--from', folder, '--json', ...options], into.env);
const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'backup.json'), 'utf8')) as Manifest;

/** A copy of the backup with another manifest. */
function changed(name: string, change: (manifest: Manifest) => void): string {
  const folder = join(directory, name);
  const manifest = manifestOf(backup);
  change(manifest);
  rmSync(folder, { recursive: true, force: true });
  cpSync(backup, folder, { recursive: true });
  writeFileSync(join(folder, 'backup.json'), JSON.stringify(manifest));
  return folder;
}

beforeAll(async () => {
  source = await instance('snapshots');
  await source.migrate();
  await source.fill();
  held = await source.everything();
  expect(await backUp(source, backup)).toMatchObject({ code: 0 });
});

afterAll(async () => {
  for (const one of instances) await one.drop();
  rmSync(directory, { recursive: true, force: true });
});

describe('reprise backup', () => {
  it('writes all rows and snapshots into a folder that nobody else may read, and leaves nothing beside it', () => {
    const { schemas, snapshots } = manifestOf(backup);
    expect(schemas.lifecycle.tables.find(({ name }) => name === 'audit_log')).toMatchObject({ rows: 7 });
    expect(snapshots.objects.map(({ snapshot_id }) => snapshot_id).sort()).toEqual(['snap_1', 'snap_2']);
    expect(readdirSync(directory).sort()).toEqual(['backup', 'snapshots']);
    for (const entry of readdirSync(backup, { recursive: true, withFileTypes: true })) {
      expect((statSync(join(entry.parentPath, entry.name)).mode & 0o777).toString(8)).toBe(entry.isDirectory() ? '700' : '600');
    }
  });

  it('refuses a folder that exists', async () => {
    const { code, err } = await backUp(source, backup);
    expect([code, err]).toEqual([2, expect.stringContaining(`${backup} exists already`)]);
  });

  it('names the workspace and the snapshot that is missing, and leaves no folder', async () => {
    const spoiled = join(directory, 'spoiled-snapshots');
    cpSync(source.snapshots, spoiled, { recursive: true });
    rmSync(join(spoiled, 'ws_stopped/snap_1.1.tar.br'));
    writeFileSync(join(spoiled, 'ws_idle/snap_2.1.tar.br'), 'something else');
    const { code, err } = await backUp(source, join(directory, 'never'), { SNAPSHOTS_DIR: spoiled, SNAPSHOTS_KEPT_HOURS: '0' });
    expect(code).toBe(1);
    expect(err).toMatch(/snapshot snap_1 of workspace ws_stopped is missing/);
    expect(err).toMatch(/snapshot snap_2 of workspace ws_idle is not what its record says/);
    expect(err).toMatch(/raise SNAPSHOTS_KEPT_HOURS/);
    expect(readdirSync(directory).filter((name) => name.startsWith('never'))).toEqual([]);
  });

  it('leaves objects of a bucket where they are', async () => {
    const folder = join(directory, 'of-s3');
    expect(await backUp(source, folder, { SNAPSHOT_STORE: 's3' })).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'snapshots'))).toBe(false);
    const { code, err } = await restore(source, folder, '--replace');
    expect([code, err]).toEqual([1, expect.stringContaining('SNAPSHOT_STORE=s3')]);
  });
});

describe('reprise restore', () => {
  it('makes a new database, store and broker what the old ones were, and their services own it', async () => {
    const fresh = await instance('fresh');
    const { code, out, err } = await restore(fresh, backup);
    expect([code, err]).toEqual([0, expect.not.stringContaining('reprise:')]);
    expect(JSON.parse(out)).toMatchObject({
      rows: { 'lifecycle.workspaces': 3, 'lifecycle.idempotency_keys': 2, 'deadletters.dead_letters': 2 },
      workspaces: { failed: 1, idle: 1, stopped: 1 },
      snapshots: { store: 'files', verified: 2, present: 2, missing: [], differ: [] },
      snapshots_copied_back: 2,
      never_saved: ['ws_failed'],
    });
    expect(await fresh.everything()).toEqual(held);
    expect(readFileSync(fresh.objectOf('snap_1', 'ws_stopped'), 'utf8')).toBe('files of ws_stopped at snap_1');
    const next = `INSERT INTO audit_log (at, org_id, actor, action, subject, message_id, detail)
      VALUES (now(), 'acme', 'u', 'made', 's', 'm', '{}') RETURNING id`;
    expect(await fresh.sql(next, [], fresh.servers.databaseUrlOf('lifecycle'))).toEqual([{ id: '8' }]);
    await expect(fresh.sql('DELETE FROM history', [], fresh.servers.databaseUrlOf('deadletters'))).rejects.toThrow('for good');
  });

  it('takes back what came after the backup: rows with --replace, messages, and no snapshot', async () => {
    await source.sql(`UPDATE lifecycle.workspaces SET status = 'failed'`);
    await source.sql(`INSERT INTO billing.tenants VALUES ('later', 'active', NULL, now(), now())`);
    await source.addSnapshot('snap_3', 'ws_idle');
    rmSync(source.objectOf('snap_1', 'ws_stopped'));
    const work = QUEUE.lifecycleCommands;
    const queues = [work, retryQueueOf(work, RETRY_DELAYS.at(-1)!.label), deadQueueOf(work)];
    const { broker } = source.servers;
    for (const queue of queues) await broker.publish('', queue, '{}');

    const refused = await restore(source, backup);
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/billing\.tenants.*--replace/)]);
    for (const queue of queues) expect(await broker.count(queue)).toBe(1);

    const { code, out } = await restore(source, backup, '--replace');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ messages_purged: 3, snapshots_copied_back: 1, snapshots: { present: 2 } });
    expect(await source.everything()).toEqual(held);
    for (const queue of queues) expect(await broker.count(queue)).toBe(0);
    expect(existsSync(source.objectOf('snap_3', 'ws_idle'))).toBe(true);
  });

  it('overwrites no snapshot: one that is another under the same key is told, and the exit code is 1', async () => {
    const path = source.objectOf('snap_1', 'ws_stopped');
    const right = readFileSync(path);
    writeFileSync(path, 'of a later time');
    const { code, out, err } = await restore(source, backup, '--replace');
    expect([code, err]).toEqual([1, expect.stringContaining('something is missing')]);
    expect(JSON.parse(out)).toMatchObject({ snapshots: { present: 1, differ: [{ snapshot_id: 'snap_1', workspace_id: 'ws_stopped' }] } });
    expect(readFileSync(path, 'utf8')).toBe('of a later time');
    writeFileSync(path, right);
  });

  it('refuses while a service has a session of the database or takes messages', async () => {
    const client = new Client({ connectionString: source.servers.databaseUrlOf('billing'), application_name: 'billing' });
    await client.connect();
    const { channel } = source.servers.broker;
    const { consumerTag } = await channel.consume(QUEUE.provisionerCommands, () => undefined);
    try {
      const { code, err } = await restore(source, backup, '--replace');
      expect(code).toBe(1);
      expect(err).toMatch(/billing has 1 session of the database.*provisioner takes messages.*stop all services/);
    } finally {
      await client.end();
      await channel.cancel(consumerTag);
    }
    expect(await source.everything()).toEqual(held);
  });

  it('restores a backup of an older version into this one, and refuses one of a newer version in one line', async () => {
    const older = await instance('older');
    const before = changed('before', ({ schemas }) => schemas.lifecycle.migrations.splice(-3)).concat('/backup.json');
    await older.migrate((JSON.parse(readFileSync(before, 'utf8')) as Manifest).schemas);
    await older.sql(`INSERT INTO lifecycle.providers VALUES ('prov_1', 'acme', 'p', 'anthropic', '{}', now(), now())`);
    await older.sql(`INSERT INTO lifecycle.idempotency_keys VALUES ('acme', 'k', 'h', '{}', now())`);
    const folder = join(directory, 'of-older');
    expect(await backUp(older, folder)).toMatchObject({ code: 0 });
    expect(await restore(older, folder, '--replace')).toMatchObject({ code: 0 });
    expect(await older.sql('SELECT key, caller FROM lifecycle.idempotency_keys')).toEqual([{ key: 'k', caller: '' }]);

    const newer = changed('newer', ({ schemas }) => schemas.billing.migrations.push('Later1999999999999'));
    const { code, err } = await restore(older, newer, '--replace');
    expect(code).toBe(1);
    const failures = err.split('\n').filter((line) => line.startsWith('{'));
    expect(failures.map((line) => (JSON.parse(line) as { error: { message: string } }).error.message)).toEqual([
      expect.stringMatching(/does not know the migration Later1999999999999 of billing/),
    ]);
  });

  it('changes nothing where a file of the backup is missing or not what it was', async () => {
    const spoiled = changed('spoiled-backup', () => undefined);
    writeFileSync(join(spoiled, 'database/lifecycle.workspaces.gz'), 'x');
    rmSync(join(spoiled, 'snapshots/ws_idle/snap_2.1.tar.br'));
    const { code, err } = await restore(source, spoiled, '--replace');
    expect(code).toBe(1);
    expect(err).toMatch(/lifecycle\.workspaces\.gz is not what it was.*snap_2\.1\.tar\.br is missing/);
    expect(await source.everything()).toEqual(held);
    expect(await restore(source, directory)).toMatchObject({ code: 1, err: expect.stringContaining('is not a backup') });
  });
});
