import { connect, type ConfirmChannel } from 'amqplib';
import { Client } from 'pg';
import { serve } from './helper';

/** What the loop is asked for: the messages and the transactions of so many restarts. */
export interface RestartLoopOrder {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  readonly restarts: number;
  /** Of one restart. */
  readonly messages: number;
  readonly transactions: number;
}

const QUEUE = 'bench.restart-loop';
const IN_FLIGHT = 100;
const PREFETCH = 64;
const CLIENTS = 8;
const BODY = Buffer.alloc(600, 'x');

/** A transaction as small as one can be that both changes a row and adds one. */
const TRANSACTION = {
  name: 'move',
  text: `WITH changed AS (UPDATE bench.loop_rows SET version = version + 1, data = $2 WHERE id = $1 RETURNING id)
    INSERT INTO bench.loop_log (row_id, data) SELECT id, $2 FROM changed`,
};

/** Messages and transactions go on side by side, with nothing between them. Resolves with restarts' worth of both a second. */
async function restartLoop(order: RestartLoopOrder): Promise<number> {
  const [broker, clients] = await Promise.all([brokerOf(order.amqpUrl), clientsOf(order.databaseUrl)]);
  await prepare(clients);
  const began = performance.now();
  await Promise.all([
    send(broker, Math.round(order.restarts * order.messages)),
    move(clients, Math.round(order.restarts * order.transactions)),
  ]);
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all([broker.close(), ...clients.map((client) => client.end())]);
  return order.restarts / seconds;
}

interface BareBroker {
  readonly publisher: ConfirmChannel;
  /** Resolves when so many have been acknowledged. */
  readonly consumed: (count: number) => Promise<void>;
  close(): Promise<void>;
}

async function brokerOf(url: string): Promise<BareBroker> {
  const connection = await connect(url, { noDelay: true });
  const consumer = await connection.createChannel();
  await consumer.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await consumer.purgeQueue(QUEUE);
  await consumer.prefetch(PREFETCH);
  let [taken, wanted] = [0, Infinity];
  let done: () => void = () => undefined;
  await consumer.consume(QUEUE, (message) => {
    if (message === null) return;
    consumer.ack(message);
    taken += 1;
    if (taken >= wanted) done();
  });
  return {
    publisher: await connection.createConfirmChannel(),
    consumed: (count) =>
      new Promise((resolve) => {
        [wanted, done] = [count, resolve];
        if (taken >= wanted) resolve();
      }),
    close: () => connection.close(),
  };
}

async function clientsOf(connectionString: string): Promise<Client[]> {
  const clients = Array.from({ length: CLIENTS }, () => new Client({ connectionString }));
  await Promise.all(clients.map((client) => client.connect()));
  return clients;
}

async function prepare([first]: readonly Client[]): Promise<void> {
  await first?.query(`
    CREATE SCHEMA IF NOT EXISTS bench;
    DROP TABLE IF EXISTS bench.loop_rows, bench.loop_log;
    CREATE TABLE bench.loop_rows (id integer PRIMARY KEY, version integer NOT NULL, data text NOT NULL);
    CREATE TABLE bench.loop_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, row_id integer NOT NULL, data text NOT NULL);
    INSERT INTO bench.loop_rows SELECT n, 0, '' FROM generate_series(0, 9999) n`);
}

/** Publishes, waits for each confirmation, consumes and acknowledges: so many, of which a hundred are on their way. */
async function send({ publisher, consumed }: BareBroker, count: number): Promise<void> {
  const all = consumed(count);
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next++ < count) {
      await new Promise<void>((resolve, reject) =>
        publisher.sendToQueue(QUEUE, BODY, { persistent: true, mandatory: true }, (error: unknown) =>
          error instanceof Error ? reject(error) : resolve(),
        ),
      );
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
  await all;
}

async function move(clients: readonly Client[], count: number): Promise<void> {
  const data = 'x'.repeat(600);
  let next = 0;
  await Promise.all(
    clients.map(async (client) => {
      for (let number = next++; number < count; number = next++) await client.query({ ...TRANSACTION, values: [number % 10_000, data] });
    }),
  );
}

serve(restartLoop);
