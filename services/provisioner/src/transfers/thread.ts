import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { ObservedSnapshotStore } from '../metrics/observed-snapshot-store';
import { AgentClient } from '../pods/agent-client';
import { snapshotStoreOf } from '../ports/snapshot-stores';
import { LocalTransfers } from './local-transfers';
import { asFailure, type Order, type PodWithCredentials, type ThreadData, type Told, type Transfer } from './thread-messages';

/**
 * The program of a `TransferThread`: makes the transfers that it is told of, many at a time. It loads nothing of Nest, nor of the libraries of ours that
 * do: that its heap is small is what it is for.
 */
async function main(port: MessagePort, data: ThreadData): Promise<void> {
  const tell = (told: Told): void => port.postMessage(told);
  const store = new ObservedSnapshotStore(await snapshotStoreOf(data.store), {
    durations: { observe: (labels, seconds) => tell({ duration: { labels, seconds } }) },
    stored: { inc: (storedBytes) => tell({ storedBytes }) },
  });
  const transfers = new LocalTransfers(
    (pod) => new AgentClient({ address: pod.address, credentials: (pod as PodWithCredentials).credentials }),
    store,
    data.limits,
  );
  const running = new Map<number, AbortController>();

  port.on('message', ({ id, ...order }: Order) => {
    if (order.do === 'abort') return running.get(id)?.abort();
    const controller = new AbortController();
    running.set(id, controller);
    made(transfers, order, controller.signal)
      .then(
        (result) => tell({ id, result }),
        (error: unknown) => tell({ id, failure: asFailure(error) }),
      )
      .finally(() => running.delete(id));
  });
}

function made(transfers: LocalTransfers, transfer: Transfer, signal: AbortSignal): Promise<unknown> {
  switch (transfer.do) {
    case 'save':
      return transfers.save(transfer.pod, transfer.key, signal);
    case 'verify':
      return transfers.verify(transfer.record, signal);
    case 'restore':
      return transfers.restore(transfer.pod, transfer.record, signal);
  }
}

if (parentPort) void main(parentPort, workerData as ThreadData);
