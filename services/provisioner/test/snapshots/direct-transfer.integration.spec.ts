import { LIMITS } from '../testing/limits';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClient } from '../../src/pods/agent-client';
import type { PodSpec } from '../../src/pods/pod-driver';
import { ProcessPodDriver } from '../../src/pods/process/process-pod-driver';
import { S3SnapshotStore } from '../../src/snapshots/s3/s3-snapshot-store';
import type { DirectTransfer } from '../../src/snapshots/snapshot-store';
import { openSnapshot, saveDirectly, verifySnapshot, type SnapshotRecord } from '../../src/snapshots/snapshots';
import { bundleAgent } from '../testing/agent-bundle';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';
import { S3Peer } from './support/s3-peer';
import type { S3Request } from './support/s3-request';
import { BUCKET } from './support/s3-service';
import { errorAnswer, uploadsIn } from './support/s3-uploads';

const directory = mkdtempSync(join(tmpdir(), 'reprise-direct-'));
const podsDir = join(directory, 'pods');
const driver = new ProcessPodDriver({ podsDir, agentPath: bundleAgent(directory), gatewayUrl: 'http://127.0.0.1:9' });
const never = new AbortController().signal;
let peer: S3Peer;
let store: S3SnapshotStore;

beforeAll(async () => {
  peer = await S3Peer.start(join(directory, 's3'));
});
beforeEach(() => {
  peer.fault = () => undefined;
  peer.requests.length = 0;
  store = new S3SnapshotStore(peer.settings({ direct: true }));
});
afterEach(async () => {
  for (const pod of await driver.list()) await driver.remove(pod, { graceSeconds: 0 });
});
afterAll(async () => {
  await peer?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const direct = (): DirectTransfer => {
  if (!store.direct) throw new Error('this store has no addresses');
  return store.direct;
};
const half = async (): Promise<number> => (await uploadsIn(join(directory, 's3', BUCKET, '._S3rver_uploads'))).length;
const isOfPod = ({ headers, query }: S3Request): boolean => headers.authorization === undefined && query.has('X-Amz-Signature');

async function pod(spec: PodSpec): Promise<{ agent: AgentClient; files: string; kill: () => void; log: () => string }> {
  const { address } = await driver.create(spec);
  const home = join(podsDir, spec.workspaceId, String(spec.generation));
  const { pid } = JSON.parse(readFileSync(join(home, 'told', 'agent.json'), 'utf8')) as { pid: number };
  return {
    agent: new AgentClient({ address, credentials: credentialsOf(spec) }),
    files: join(podsDir, spec.workspaceId, 'workspace'),
    kill: () => process.kill(pid, 'SIGKILL'),
    log: () => readFileSync(join(home, 'agent.log'), 'utf8'),
  };
}

async function quiesced(plant: (files: string) => void) {
  const spec = newSpec();
  const made = await pod(spec);
  plant(made.files);
  await made.agent.resumeWork();
  await made.agent.quiesce('interrupted_by_restart');
  return { spec, key: `${spec.workspaceId}/1.1.tar.br`, ...made };
}

const plant = (megabytes: number) => (files: string) => {
  mkdirSync(join(files, 'sub/empty'), { recursive: true });
  writeFileSync(join(files, 'random'), randomBytes(megabytes * 1_000_000), { mode: 0o640 });
};
function touch(path: string): string {
  writeFileSync(path, '');
  return path;
}
/** Times to the microsecond, as they are carried. */
const listing = (files: string): string =>
  execFileSync('sh', ['-c', 'find . -path ./.reprise -prune -o -printf "%p %y %m %s %T@\\n" | sed "s/....$//" | sort; sha256sum random'], {
    cwd: files,
  }).toString();

describe('a snapshot that goes straight from the pod to the store', () => {
  it.each([0, 1, 12, 40])(
    'of %i MB comes back the same, straight from the store, and none of it went through the provisioner',
    async (megabytes) => {
      const { spec, agent, files, key } = await quiesced(plant(megabytes));
      const before = listing(files);
      const record = await saveDirectly(direct(), key, agent, LIMITS, never);
      await verifySnapshot(store, record, LIMITS);
      const sent = peer.requests.filter(({ operation }) => operation === 'UploadPart');
      expect(sent).toHaveLength(Math.max(1, Math.ceil((record.storedBytes - 1) / (5 * 1024 * 1024))));
      expect(sent.every(isOfPod)).toBe(true);
      await driver.remove(spec, { graceSeconds: 5 });
      peer.requests.length = 0;
      const next = await pod(nextGeneration(spec));
      const restored = await next.agent.download(
        await direct().addressOfDownload(key),
        { sha256: record.tarSha256, encoding: 'br' },
        never,
      );
      expect(restored).toEqual({ entries: record.entries, bytes: record.tarBytes });
      expect(peer.requests.filter(({ operation }) => operation === 'GetObject').map(isOfPod)).toEqual([true]);
      expect(listing(next.files)).toBe(before);
    },
  );

  it('is the same snapshot as one that went through the provisioner: either can be restored either way', async () => {
    const { spec, agent, files, key } = await quiesced(plant(6));
    const before = listing(files);
    const record = await saveDirectly(direct(), key, agent, LIMITS, never);
    await driver.remove(spec, { graceSeconds: 5 });
    const next = await pod(nextGeneration(spec));
    await next.agent.restore(await openSnapshot(store, record), { sha256: record.tarSha256 });
    expect(listing(next.files)).toBe(before);
  });

  it('gets over a connection that is cut, an answer that is lost and a store that is busy', async () => {
    const { agent, key } = await quiesced(plant(12));
    const faults = [{ cut: true }, { loseAnswer: true }, { answer: errorAnswer(503, 'SlowDown') }] as const;
    const troubled = new Map<string, number>();
    peer.fault = ({ operation, query }) => {
      const part = query.get('partNumber') ?? '';
      const times = troubled.get(part) ?? 0;
      troubled.set(part, times + 1);
      return operation === 'UploadPart' && times === 0 ? faults[Number(part) - 1] : undefined;
    };
    await verifySnapshot(store, await saveDirectly(direct(), key, agent, LIMITS, never), LIMITS);
    expect([1, 2, 3].map((part) => troubled.get(String(part)))).toEqual([2, 2, 2]);
  });

  it.each([
    ['out of the reach of pods', { podEndpoint: 'http://127.0.0.1:9' }, undefined, 'store_unreachable'],
    ['that refuses them', {}, { answer: errorAnswer(403, 'AccessDenied') }, 'store_failed'],
    ['that cuts them off', {}, { cut: true }, 'store_failed'],
  ] as const)('fails with a store %s, tells so, and leaves nothing', async (_what, settings, fault, agentCode) => {
    store = new S3SnapshotStore(peer.settings({ direct: true, ...settings }));
    peer.fault = (request) => (isOfPod(request) ? fault : undefined);
    const { spec, agent, key, log } = await quiesced(plant(12));
    const error: unknown = await saveDirectly(direct(), key, agent, LIMITS, never).catch((it: unknown) => it);
    expect(error).toMatchObject({ name: 'AgentError', agentCode, retryable: true });
    expect(await half()).toBe(0);
    expect(await store.stat(key)).toBeNull();
    const logged = log();
    await driver.remove(spec, { graceSeconds: 0 });
    const next = await pod(nextGeneration(spec));
    const failing = next.agent.download(await direct().addressOfDownload(key), { sha256: 'a'.repeat(64), encoding: 'br' }, never);
    const refusal: unknown = await failing.catch((it: unknown) => it);
    expect(refusal).toMatchObject({ name: 'AgentError', agentCode });
    // The address is a permission: neither errors nor logs have it.
    for (const text of [String(error), JSON.stringify(error), String(refusal), JSON.stringify(refusal), logged, next.log()]) {
      expect(text).not.toMatch(/X-Amz|Signature|S3RVER|http:\/\/127\.0\.0\.1:\d+\/snapshots/);
    }
  });

  it('is refused by an agent that does not know the way, as any other unknown route', async () => {
    const old = createServer((request, response) => {
      request.resume();
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":{"code":"not_found","message":"there is no such route"}}');
    });
    await new Promise<void>((done) => old.listen(0, '127.0.0.1', done));
    const agent = new AgentClient({ address: `http://127.0.0.1:${(old.address() as AddressInfo).port}`, credentials: [{ token: 'x' }] });
    await expect(saveDirectly(direct(), 'ws_1/1.1.tar.br', agent, LIMITS, never)).rejects.toMatchObject({ agentCode: 'not_found' });
    expect(await half()).toBe(0);
    old.closeAllConnections();
    old.close();
  });

  it('is not taken from an agent that says another encoding than there are', async () => {
    const { agent, key } = await quiesced(plant(1));
    const upload = await direct().upload(key);
    const done = await agent.upload(upload, LIMITS, never);
    await upload.giveUp();
    expect(done.encoding).toBe('br');
    const { sha256, entries, bytes, storedSha256, storedBytes } = done;
    const strange = createServer((request, response) => {
      request.resume();
      const told = { sha256, entries, bytes, stored_sha256: storedSha256, stored_bytes: storedBytes, encoding: 'zstd' };
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(`${JSON.stringify({ done: told })}\n`);
    });
    await new Promise<void>((listening) => strange.listen(0, '127.0.0.1', listening));
    const client = new AgentClient({
      address: `http://127.0.0.1:${(strange.address() as AddressInfo).port}`,
      credentials: [{ token: 'x' }],
    });
    await expect(saveDirectly(direct(), key, client, LIMITS, never)).rejects.toMatchObject({ reason: 'bad_answer' });
    strange.closeAllConnections();
    strange.close();
  });

  it('is given no more addresses than the limits have room for, and is not put together beyond them', async () => {
    const few = { entries: 10, bytes: 16 * 1024 * 1024, depth: 5 };
    const { agent, key } = await quiesced(plant(1));
    let given = 0;
    const greedy = {
      upload: async (to: { addressOfPart: (number: number) => Promise<string> }): Promise<never> => {
        for (; ; given += 1) await to.addressOfPart(given + 1);
      },
    };
    await expect(saveDirectly(direct(), key, greedy, few, never)).rejects.toMatchObject({ reason: 'too_large' });
    // Parts have 5 MiB here.
    expect(given).toBe(4);
    const large = {
      upload: async (...given: Parameters<AgentClient['upload']>) => ({ ...(await agent.upload(...given)), storedBytes: 1e9 }),
    };
    await expect(saveDirectly(direct(), key, large, few, never)).rejects.toMatchObject({ reason: 'too_large' });
    expect(await store.stat(key)).toBeNull();
    expect(await half()).toBe(0);
  });

  it('is found out where the store has other bytes than the pod sent', async () => {
    const { agent, key } = await quiesced(plant(12));
    peer.fault = ({ operation, query }) =>
      operation === 'UploadPart' && query.get('partNumber') === '2' ? { spoilStored: true } : undefined;
    const record = await saveDirectly(direct(), key, agent, LIMITS, never);
    await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject({ reason: 'corrupt' });
  });

  it.each<[string, Partial<SnapshotRecord>]>([
    ['digest', { sha256: 'a'.repeat(64) } as object],
    ['number of entries', { entries: 7 }],
    ['size', { bytes: 7 } as object],
    ['stored digest', { storedSha256: 'a'.repeat(64) }],
  ])('is found out where the agent lies about its %s', async (_what, lie) => {
    const { agent, key } = await quiesced(plant(1));
    const liar = { upload: async (...given: Parameters<AgentClient['upload']>) => ({ ...(await agent.upload(...given)), ...lie }) };
    const record = await saveDirectly(direct(), key, liar, LIMITS, never);
    await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject({ reason: 'corrupt' });
  });

  it('is not kept where the agent says that it sent more than the store has', async () => {
    const { agent, key } = await quiesced(plant(1));
    const liar = { upload: async (...given: Parameters<AgentClient['upload']>) => ({ ...(await agent.upload(...given)), storedBytes: 7 }) };
    await expect(saveDirectly(direct(), key, liar, LIMITS, never)).rejects.toMatchObject({ reason: 'corrupt' });
    expect(await store.stat(key)).toBeNull();
  });

  it.each([
    ['the pod dies', (kill: () => void) => kill()],
    ['work is resumed', (_kill: () => void, agent: AgentClient) => void agent.resumeWork()],
    ['it is given up', (_kill: () => void, _agent: AgentClient, controller: AbortController) => controller.abort()],
  ])('is not kept where %s in the middle', async (_what, happen) => {
    const { agent, kill, key } = await quiesced((root) => {
      plant(30)(root);
      for (let i = 0; i < 20; i++) truncateSync(touch(join(root, `sparse-${i}`)), 100_000_000);
    });
    const controller = new AbortController();
    let parts = 0;
    peer.fault = ({ operation }) => {
      if (operation === 'UploadPart') parts += 1;
      return undefined;
    };
    const saving = saveDirectly(direct(), key, agent, LIMITS, controller.signal);
    saving.catch(() => undefined);
    await until(() => parts > 1);
    happen(kill, agent, controller);
    await expect(saving).rejects.toMatchObject({ name: 'AgentError' });
    expect(await store.stat(key)).toBeNull();
    await until(async () => (await half()) === 0);
  });
});

describe('a restore straight from the store', () => {
  it.each([
    ['the store breaks off', { cutAnswerAfter: 1_000_000 }, 'store_failed'],
    ['the object is gone', { answer: errorAnswer(404, 'NoSuchKey') }, 'store_failed'],
    ['it gets another object', { answer: { status: 200, body: 'not a snapshot' } }, 'bad_archive'],
  ] as const)('where %s leaves the workspace as it was, and can be tried again', async (_what, fault, agentCode) => {
    const { spec, agent, files, key } = await quiesced(plant(12));
    const before = listing(files);
    const record = await saveDirectly(direct(), key, agent, LIMITS, never);
    await driver.remove(spec, { graceSeconds: 5 });
    const next = await pod(nextGeneration(spec));
    writeFileSync(join(next.files, 'random'), 'as it was');
    peer.fault = (request) => (isOfPod(request) ? fault : undefined);
    const expected = { sha256: record.tarSha256, encoding: 'br' } as const;
    await expect(next.agent.download(await direct().addressOfDownload(key), expected, never)).rejects.toMatchObject({ agentCode });
    expect(readFileSync(join(next.files, 'random'), 'utf8')).toBe('as it was');
    peer.fault = () => undefined;
    await next.agent.download(await direct().addressOfDownload(key), expected, never);
    expect(listing(next.files)).toBe(before);
  });

  it('of other bytes than promised is refused', async () => {
    const { spec, agent, key } = await quiesced(plant(1));
    await saveDirectly(direct(), key, agent, LIMITS, never);
    await driver.remove(spec, { graceSeconds: 5 });
    const next = await pod(nextGeneration(spec));
    const address = await direct().addressOfDownload(key);
    await expect(next.agent.download(address, { sha256: 'a'.repeat(64), encoding: 'br' }, never)).rejects.toMatchObject({
      agentCode: 'digest_mismatch',
    });
  });

  it('into a pod that takes tasks is refused', async () => {
    const { agent, key } = await quiesced(plant(1));
    const record = await saveDirectly(direct(), key, agent, LIMITS, never);
    const address = await direct().addressOfDownload(key);
    await expect(agent.download(address, { sha256: record.tarSha256, encoding: 'br' }, never)).rejects.toMatchObject({
      agentCode: 'not_starting',
    });
  });
});
