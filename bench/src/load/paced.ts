import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { Answers } from './answers';
import type { LoadOrder, LoadResult } from './load-order';
import { RequestSource } from './request-source';

/**
 * So many requests a second, each at its moment. (autocannon sends what belongs into a second in one burst at its beginning, which would measure
 * the queue that it makes.) A time counts from when its request was to be sent: what waits behind a slow answer has waited, too.
 */
export async function paced(order: LoadOrder): Promise<LoadResult> {
  const { url, connections, perSecond = 1, seconds = 1, amount = Math.floor(perSecond * seconds) } = order;
  const source = new RequestSource(order);
  const answers = new Answers();
  const pool = new Pool(url, { connections, pipelining: 1 });
  const began = performance.now();
  const open: Promise<void>[] = [];
  for (let sent = 0; sent < amount;) {
    const due = Math.min(amount, Math.floor(((performance.now() - began) / 1_000) * perSecond) + 1);
    for (; sent < due; sent += 1) open.push(send(pool, source, began + (sent / perSecond) * 1_000, answers));
    await sleep(1);
  }
  await Promise.all(open);
  await pool.close();
  return answers.result();
}

async function send(pool: Pool, source: RequestSource, at: number, answers: Answers): Promise<void> {
  try {
    const { statusCode, body } = await pool.request(source.next());
    await body.dump();
    answers.add(statusCode, performance.now() - at);
  } catch {
    answers.fail();
  }
}
