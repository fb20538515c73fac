import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { Metrics } from '@reprise/platform';
import { storeMeters } from '../../src/metrics/store-meters';
import { AgentClient } from '../../src/pods/agent-client';
import { AgentError } from '../../src/pods/agent-client.types';
import type { PodHandle } from '../../src/pods/pod-driver';
import { ProcessPodDriver } from '../../src/pods/process/process-pod-driver';
import type { StoreSettings } from '../../src/snapshot-store.config';
import { SnapshotStoreError } from '../../src/snapshots/snapshot-store';
import type { SnapshotRecord } from '../../src/snapshots/snapshots';
import { failureOf } from '../../src/steps/step';
import { TransferThread } from '../../src/transfers/transfer-thread';
import { bundleAgent } from '../testing/agent-bundle';
import { until } from '../testing/until';
import { LIMITS } from '../testing/limits';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';

/** The thread's program, as it was built: a thread cannot read TypeScript. */
const ENTRY = join(__dirname, '../../dist/transfers/thread.js');

const directory = mkdtempSync(join(tmpdir(), 'reprise-transfers-'));
const podsDir = join(directory, 'pods');
const driver = new ProcessPodDriver({ podsDir, agentPath: bundleAgent(directory), gatewayUrl: 'http://127.0.0.1:9' });
const settings = { snapshotStore: 'files', snapshotsDir: join(directory, 'store') } as StoreSettings;
const never = new AbortController().signal;
const threads: TransferThread[] = [];
const servers: Server[] = [];
const metrics = new Map<TransferThread, Metrics>();

function thread(credentials: ReturnType<typeof credentialsOf>, entry = ENTRY): TransferThread {
  const told = new Metrics();
  const made = new TransferThread({ store: settings, limits: LIMITS }, () => credentials, storeMeters(told), entry);
  threads.push(made);
  metrics.set(made, told);
  return made;
}

beforeAll(() => Logger.overrideLogger(false));
afterEach(async () => {
  for (const each of threads.splice(0)) await each.onApplicationShutdown();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
  for (const pod of await driver.list()) await driver.remove(pod, { graceSeconds: 0 });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const failureIn = (transfer: Promise<unknown>): Promise<unknown> =>
  transfer.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );

const aRecord: SnapshotRecord = {
  key: 'ws_1/1.1.tar.br',
  tarSha256: 'a'.repeat(64),
  tarBytes: 1,
  entries: 0,
  storedSha256: 'b'.repeat(64),
  storedBytes: 1,
  encoding: 'br',
};

/** An agent that begins to send and then stands still. */
async function stillAgent(): Promise<{ pod: PodHandle; asked: () => boolean; left: () => boolean }> {
  let [asked, left] = [false, false];
  const server = createServer((request, response) => {
    asked = true;
    request.socket.once('close', () => (left = true));
    response.writeHead(200).write('the first bytes');
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { pod: { workspaceId: 'ws_1', generation: 1, address }, asked: () => asked, left: () => left };
}

describe('transfers in a thread of their own', () => {
  it('take the files of one pod to the next, and count for the metrics of the service', async () => {
    const spec = newSpec();
    const { address } = await driver.create(spec);
    writeFileSync(join(podsDir, spec.workspaceId, 'workspace', 'file'), 'what was there');
    const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
    await agent.resumeWork();
    await agent.quiesce('interrupted_by_restart');
    const transfers = thread(credentialsOf(spec));
    const record = await transfers.save({ ...spec, address }, `${spec.workspaceId}/1.1.tar.br`, never);
    await transfers.verify(record, never);

    await driver.remove(spec, { graceSeconds: 0 });
    const next = nextGeneration(spec);
    const restored = await thread(credentialsOf(next)).restore({ ...next, address: (await driver.create(next)).address }, record, never);
    expect(restored).toEqual({ entries: record.entries, bytes: expect.any(Number) });
    expect(readFileSync(join(podsDir, next.workspaceId, 'workspace', 'file'), 'utf8')).toBe('what was there');

    const told = [
      `reprise_snapshot_stored_bytes_total ${record.storedBytes}`,
      'reprise_snapshot_store_call_duration_seconds_count{call="put",outcome="ok"} 1',
      'reprise_snapshot_store_call_duration_seconds_count{call="get",outcome="ok"} 1',
    ];
    for (const line of told) await until(async () => (await metrics.get(transfers)!.text()).includes(line));
  });

  it('fail with the errors of the agent and of the store, as they would without it', async () => {
    const transfers = thread([{ token: 'token' }]);
    const nobody = { workspaceId: 'ws_1', generation: 1, address: 'http://127.0.0.1:9' };
    const unreachable = await failureIn(transfers.save(nobody, aRecord.key, never));
    expect(unreachable).toBeInstanceOf(AgentError);
    expect(unreachable).toMatchObject({ reason: 'unreachable', retryable: true });
    const missing = await failureIn(transfers.verify(aRecord, never));
    expect(missing).toBeInstanceOf(SnapshotStoreError);
    expect(missing).toMatchObject({ reason: 'missing', retryable: false });
  });

  it('end when they are given up, and leave neither pod nor store in the middle of them', async () => {
    const { pod, asked, left } = await stillAgent();
    const [transfers, given] = [thread([{ token: 'token' }]), new AbortController()];
    const saving = failureIn(transfers.save(pod, 'ws_1/given-up.tar.br', given.signal));
    await until(asked);
    given.abort();
    expect(await saving).toMatchObject({ name: 'AbortError' });
    await until(left);
    await until(() => readdirSync(join(directory, 'store', '.incoming')).length === 0);
    expect(await failureIn(transfers.verify({ ...aRecord, key: 'ws_1/given-up.tar.br' }, never))).toMatchObject({ reason: 'missing' });
    expect(await failureIn(transfers.verify(aRecord, given.signal))).toMatchObject({ name: 'AbortError' });
  });

  it('are worth another try where the thread ended under them, and the next one has another thread', async () => {
    const [entry, marker] = [join(directory, 'mortal.js'), join(directory, 'died')];
    const port = `require('node:worker_threads').parentPort`;
    writeFileSync(
      entry,
      `const fs = require('node:fs');
       ${port}.on('message', ({ id }) => {
         if (fs.existsSync(${JSON.stringify(marker)})) return ${port}.postMessage({ id, result: null });
         fs.writeFileSync(${JSON.stringify(marker)}, '');
         throw new Error('out of luck');
       });`,
    );
    const transfers = thread([{ token: 'token' }], entry);
    const both = await Promise.all([failureIn(transfers.verify(aRecord, never)), failureIn(transfers.verify(aRecord, never))]);
    for (const failure of both) {
      expect(failureOf(failure)).toEqual({ message: expect.stringContaining('out of luck'), retryable: true, podLost: false });
    }
    expect(existsSync(marker)).toBe(true);
    await transfers.verify(aRecord, never);
  });

  it('fail at the end of the service, which does not wait for them', async () => {
    const { pod, asked } = await stillAgent();
    const transfers = thread([{ token: 'token' }]);
    const saving = failureIn(transfers.save(pod, 'ws_1/ended.tar.br', never));
    await until(asked);
    await transfers.onApplicationShutdown();
    expect(failureOf(await saving)).toMatchObject({ retryable: true });
  });
});
