import { readFileSync } from 'node:fs';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { certificateProblem } from '@reprise/platform/tools';
import { Failure, reasonOf, unreachable } from '../failure';
import type { BrokerAddress } from './address';

const CONNECT_TIMEOUT_MS = 5_000;

/** A connection for as long as the work takes. @throws Failure (exit code 3) where the broker cannot be reached */
export async function withConnection<T>(address: BrokerAddress, work: (connection: ChannelModel) => Promise<T>): Promise<T> {
  const ca = address.caFile === undefined ? {} : { ca: authorityIn(address.caFile) };
  const connection = await connect(address.url, { noDelay: true, timeout: CONNECT_TIMEOUT_MS, ...ca }).catch((error: unknown) => {
    throw whyNot(address, error);
  });
  // Without a listener a loss would end the process; whoever waits for an answer is told by its own rejected promise.
  connection.on('error', () => undefined);
  try {
    return await work(connection);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** The same with a channel. An operation that the broker refuses rejects with the broker's own words. */
export function withChannel<T>(address: BrokerAddress, work: (channel: Channel) => Promise<T>): Promise<T> {
  return withConnection(address, async (connection) => {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    return work(channel);
  });
}

/** @throws Failure where it cannot be read */
function authorityIn(caFile: string): string {
  try {
    return readFileSync(caFile, 'utf8');
  } catch (error) {
    throw new Failure(`the authority's certificate cannot be read: ${reasonOf(error)}`);
  }
}

function whyNot({ url, vhost, user }: BrokerAddress, error: unknown): Failure {
  const { host } = new URL(url);
  const reason = certificateProblem(error, 'AMQP_CA_FILE') ?? reasonOf(error);
  if (/ACCESS.REFUSED/.test(reason)) return new Failure(`the broker at ${host} does not accept the password of ${user}`);
  // amqplib 2.3 tells of the 530 that a missing virtual host gets only by the frame that it did not expect.
  if (/ConnectionOpenOk|NOT.ALLOWED/.test(reason)) {
    return new Failure(`the broker at ${host} has no virtual host ${vhost} for ${user}; run reprise setup first`);
  }
  return unreachable(`the broker at ${host} cannot be reached: ${reason}`);
}
