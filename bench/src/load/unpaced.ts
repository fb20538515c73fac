import autocannon, { type Client, type Instance, type Options } from 'autocannon';
import { Answers } from './answers';
import type { LoadOrder, LoadResult } from './load-order';
import { RequestSource } from './request-source';

/** More than can be sent in any time: the time ends it. */
const NO_END = 1_000_000_000;

/** As much as the other side takes: each connection sends its next request when it has its answer. */
export async function unpaced({ amount = NO_END, seconds = Infinity, ...order }: LoadOrder): Promise<LoadResult> {
  const source = new RequestSource(order);
  const answers = new Answers();
  const { url, connections } = order;
  const requests: Options['requests'] = [{ setupRequest: (request) => ({ ...request, ...source.next() }) }];
  const deadline = performance.now() + seconds * 1_000;
  await ended({ url, connections, amount, timeout: 60, requests }, (run) => {
    run.on('response', (client, status, _bytes, ms) => {
      // Its own histogram counts whole milliseconds; an answer of ours may take less than one.
      answers.add(status, ms);
      if (performance.now() > deadline) endAfterThis(client);
    });
    run.on('reqError', () => answers.fail());
  });
  return answers.result();
}

/** autocannon's own end of time cuts the connections, and what was asked is carried out without anybody to hear of it. */
function endAfterThis(client: Client): void {
  (client as Client & { responseMax: number }).responseMax = 1;
}

function ended(options: Options, begun: (run: Instance) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    begun(autocannon(options, (error: Error | null) => (error ? reject(error) : resolve())));
  });
}
