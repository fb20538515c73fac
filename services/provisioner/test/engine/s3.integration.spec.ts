import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3SnapshotStore } from '../../src/snapshots/s3/s3-snapshot-store';
import { StoreCheck } from '../../src/store-check/store-check';
import { S3Peer } from '../snapshots/support/s3-peer';
import { BUCKET } from '../snapshots/support/s3-service';
import { errorAnswer } from '../snapshots/support/s3-uploads';
import { Replica } from './support/replica';
import { waitFor } from './support/wait-for';
import { Workspace, World } from './support/world';

const FILL = 'head -c 12000000 /dev/urandom > large; echo one > a.txt; mkdir -p dir/empty; ln -s a.txt link; chmod 640 a.txt';
const LOOK = 'find . -path ./.reprise -prune -o -printf "%p %y %m %s %l\\n" | sort; sha256sum large a.txt';

describe('with snapshots in S3', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-s3-engine-'));
  let world: World;
  let peer: S3Peer;

  beforeAll(async () => {
    world = await World.make();
    peer = await S3Peer.start(directory);
  });

  afterAll(async () => {
    await peer?.stop();
    await world?.end();
    rmSync(directory, { recursive: true, force: true });
  });

  afterEach(() => {
    peer.fault = () => undefined;
    peer.requests.length = 0;
  });

  it('a restart, a stop and a resume carry the files, through the provisioner', async () => {
    const replica = await Replica.start(world, { store: new S3SnapshotStore(peer.settings()) });
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, FILL);
    const before = await world.sh(workspace.id, LOOK);
    expect((await workspace.replace(replica)).type).toBe('reprise.pod.ready.v1');
    expect(await world.sh(workspace.id, LOOK)).toBe(before);
    const { data } = await workspace.remove(replica);
    expect(await world.alive(workspace.id)).toEqual([]);
    expect((await workspace.create(replica, data.snapshot_id as string)).type).toBe('reprise.pod.ready.v1');
    expect(await world.sh(workspace.id, LOOK)).toBe(before);
    expect(peer.count('CompleteMultipartUpload')).toBe(2);
    await replica.stop();
  });

  it.each([
    ['straight between pods and store', {}, true],
    ['through the provisioner where pods do not reach the store', { podEndpoint: 'http://127.0.0.1:9' }, false],
  ])('a restart and a resume carry the files %s', async (_what, settings, byPods) => {
    const replica = await Replica.start(world, { store: new S3SnapshotStore(peer.settings({ direct: true, ...settings })) });
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, FILL);
    const before = await world.sh(workspace.id, LOOK);
    expect((await workspace.replace(replica)).type).toBe('reprise.pod.ready.v1');
    expect(await world.journal(workspace.id, 2)).toHaveLength(7);
    const { data } = await workspace.remove(replica);
    expect((await workspace.create(replica, data.snapshot_id as string)).type).toBe('reprise.pod.ready.v1');
    expect(await world.sh(workspace.id, LOOK)).toBe(before);
    const moved = peer.requests.filter(({ operation }) => operation === 'UploadPart' || operation === 'GetObject');
    const ofPods = moved.filter(({ query }) => query.has('X-Amz-Signature'));
    // All parts and both restores; what is read back is read by the provisioner.
    expect(moved.length - ofPods.length).toBe(byPods ? 2 : moved.length);
    const [recorded] = await world.database.query(`SELECT string_agg(row_to_json(o)::text, ' ') AS text FROM outbox o WHERE subject = $1`, [
      workspace.id,
    ]);
    const [journal] = await world.database.query(
      `SELECT string_agg(detail, ' ') AS text FROM job_steps s JOIN jobs j ON j.id = s.job_id WHERE j.workspace_id = $1`,
      [workspace.id],
    );
    for (const text of [recorded.text, journal.text, world.logOf(workspace.id, 4)]) expect(text).not.toContain('X-Amz');
    expect(journal.text.includes('stored by the pod')).toBe(byPods);
    await replica.stop();
  });

  it('a restart and a resume carry the files with pods whose agent is of before, and knows gzip alone', async () => {
    const replica = await Replica.start(world, { store: new S3SnapshotStore(peer.settings({ direct: true })) });
    const agent = readFileSync(world.agentPath, 'utf8');
    const older = agent
      .replace(/([=:] )encodingIn\((order|body)\)/g, '$1"gzip"')
      .replace('parts.sizeBytes, encoding }', 'parts.sizeBytes }');
    expect(older.match(/encodingIn\(/g)).toHaveLength(1);
    expect(older).not.toContain('parts.sizeBytes, encoding');
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, FILL);
    const before = await world.sh(workspace.id, LOOK);
    writeFileSync(world.agentPath, older);
    try {
      // From the new one to the older one: what it cannot fetch by itself comes through the provisioner.
      expect((await workspace.replace(replica)).type).toBe('reprise.pod.ready.v1');
      expect(await world.sh(workspace.id, LOOK)).toBe(before);
      // From the older one to itself.
      expect((await workspace.replace(replica)).type).toBe('reprise.pod.ready.v1');
      expect(await world.sh(workspace.id, LOOK)).toBe(before);
    } finally {
      writeFileSync(world.agentPath, agent);
    }
    // And from the older one to the new one.
    expect((await workspace.replace(replica)).type).toBe('reprise.pod.ready.v1');
    expect(await world.sh(workspace.id, LOOK)).toBe(before);
    const snapshots: { encoding: string }[] = await world.database.query(
      'SELECT encoding FROM snapshots WHERE workspace_id = $1 ORDER BY generation',
      [workspace.id],
    );
    expect(snapshots.map(({ encoding }) => encoding)).toEqual(['br', 'gzip', 'gzip']);
    await replica.stop();
  });

  it('a restart whose store refuses leaves the pod running, and says what the store said', async () => {
    const replica = await Replica.start(world, { store: new S3SnapshotStore(peer.settings()) });
    const workspace = new Workspace(world);
    await workspace.create(replica);
    peer.fault = ({ operation }) => (operation === 'PutObject' ? { answer: errorAnswer(507, 'XMinioStorageFull') } : undefined);
    expect(await workspace.replace(replica)).toMatchObject({
      type: 'reprise.pod.job-failed.v1',
      data: {
        step: 'snapshot',
        pod_kept: true,
        message: expect.stringContaining('no_space: cannot store the snapshot: XMinioStorageFull (507)'),
      },
    });
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 1 }]);
    await replica.stop();
  });

  it('a restart whose store is away for a moment succeeds', async () => {
    const replica = await Replica.start(world, { store: new S3SnapshotStore(peer.settings()) });
    const workspace = new Workspace(world);
    await workspace.create(replica);
    let asked = 0;
    peer.fault = () => (asked++ < 5 ? { cut: true } : undefined);
    expect((await workspace.replace(replica)).type).toBe('reprise.pod.ready.v1');
    expect(asked).toBeGreaterThan(5);
    await replica.stop();
  });

  it.each([
    ['a bucket that is not there', { bucket: 'no-such-bucket' }, 'The snapshot store refuses: denied: there is no such bucket'],
    [
      'keys that are not known',
      { credentials: { accessKeyId: 'wrong', secretAccessKey: 'wrong' } },
      /^The snapshot store refuses: denied: .*40\d/,
    ],
  ])('the start fails with one line by %s', async (_what, settings, line) => {
    await expect(Replica.start(world, { store: new S3SnapshotStore(peer.settings(settings)) })).rejects.toThrow(line);
  });

  it('the start waits for no store that is away, and is not ready until it is back', async () => {
    peer.fault = () => ({ cut: true });
    const replica = await Replica.start(world, { store: new S3SnapshotStore(peer.settings()) });
    const check = () => replica.get(StoreCheck).check();
    await expect(check()).rejects.toThrow('cannot find the bucket');
    peer.fault = () => undefined;
    await waitFor(
      () =>
        check().then(
          () => true,
          () => false,
        ),
      'the store to be found',
    );
    // An upload was begun to know that it may be, and given up.
    expect(peer.count('AbortMultipartUpload')).toBe(peer.count('CreateMultipartUpload'));
    expect(peer.requests.every(({ bucket }) => bucket === BUCKET)).toBe(true);
    await replica.stop();
  });
});
