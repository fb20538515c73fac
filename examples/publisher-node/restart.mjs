#!/usr/bin/env node
// Restarts a workspace by a message and waits for the outcome: 0 where the restart succeeded, 1 where not, with one line that says why.
//   PUBLISHER_AMQP_URL=amqp://… node restart.mjs --org acme --workspace ws_… [--force] [--actor alice] [--timeout 600]
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';

const RESTART = 'reprise.workspace.restart.v1';
/** RabbitMQ's direct reply-to: the answer comes straight to the channel that asked, and no queue is made for it. */
const REPLIES = 'amq.rabbitmq.reply-to';
const SUCCEEDED = 'reprise.operation.succeeded.v1';
const FAILED = 'reprise.operation.failed.v1';

/** What ends this program with 1; its message is all that is shown. */
class Failure extends Error {}

function options() {
  const { values } = parseArgs({
    options: {
      org: { type: 'string' },
      workspace: { type: 'string' },
      force: { type: 'boolean', default: false },
      actor: { type: 'string' },
      timeout: { type: 'string', default: '600' },
    },
  });
  for (const name of ['org', 'workspace']) if (!values[name]) throw new Failure(`--${name} is needed`);
  const timeout = Number(values.timeout);
  if (!(timeout > 0)) throw new Failure('--timeout must be a number of seconds');
  return { ...values, timeout };
}

async function restart({ org, workspace, force, actor, timeout }) {
  const url = process.env.PUBLISHER_AMQP_URL;
  if (!url) throw new Failure('PUBLISHER_AMQP_URL is not set; an instance of npm start has it in .reprise/env');
  const connection = await connect(url, { noDelay: true });
  try {
    const channel = await connection.createConfirmChannel();
    const id = randomUUID();
    const lost = new Promise((_, reject) => {
      for (const emitter of [connection, channel]) {
        emitter.on('error', (error) => reject(new Failure(`the broker ended it: ${error.message}`)));
        emitter.on('close', () => reject(new Failure('the broker closed the connection; the restart may be under way')));
      }
      // Without `mandatory` and this, a message that reaches nobody would look like one that was taken.
      channel.on('return', () => reject(new Failure('no service takes this command: is Reprise set up at this broker?')));
      setTimeout(() => reject(new Failure(`no outcome within ${timeout} s; the restart may still be under way`)), timeout * 1000).unref();
    });
    // Whoever waits below sees it; until then it is nobody's.
    lost.catch(() => undefined);
    // Listening comes first: the outcome may be there before the confirmation is.
    const { outcome } = await listen(channel, id);
    const sent = publish(channel, id, { org, workspace, force, actor, user: decodeURIComponent(new URL(url).username) });
    return await Promise.race([lost, Promise.all([outcome, sent]).then(([data]) => data)]);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** Listens once it resolves. `outcome` is, in time, the data of the event that ends the operation; in an object, so that nobody waits for it here. */
async function listen(channel, id) {
  const { queue } = await channel.assertQueue(`publisher.${id}`, { exclusive: true, autoDelete: true, durable: false });
  for (const type of [SUCCEEDED, FAILED]) await channel.bindQueue(queue, 'reprise.events', type);
  let settle;
  const outcome = new Promise((resolve, reject) => (settle = { resolve, reject }));
  // Whoever waits sees it; until then it is nobody's.
  outcome.catch(() => undefined);
  const answers = {
    done: ({ value }) => console.error(`accepted: ${value.operation_id}`),
    refused: ({ refusal: { code, message } }) => settle.reject(new Failure(`refused (${code}): ${message}`)),
    // Nobody can handle it; an operator has it now.
    failed: ({ reason, message }) => settle.reject(new Failure(`a dead letter (${reason}): ${message}`)),
  };
  const ends = {
    [SUCCEEDED]: (data) => settle.resolve(data),
    [FAILED]: ({ code, message, pod_kept: kept }) =>
      settle.reject(new Failure(`failed (${code}): ${message}${kept ? ' The workspace goes on as it was.' : ''}`)),
  };
  // The queue hears of everybody's operations; what is ours carries our id.
  const ours = (handle) => (message) => {
    if (message?.properties.correlationId === id) handle(message.properties.type, JSON.parse(message.content.toString()));
  };
  await channel.consume(
    queue,
    ours((type, data) => ends[type]?.(data)),
    { noAck: true },
  );
  await channel.consume(
    REPLIES,
    ours((_, answer) => answers[answer.status]?.(answer)),
    { noAck: true },
  );
  return { outcome };
}

function publish(channel, id, { org, workspace, force, actor, user }) {
  const body = Buffer.from(JSON.stringify({ workspace_id: workspace, force }));
  const properties = {
    messageId: id,
    correlationId: id,
    replyTo: REPLIES,
    type: RESTART,
    userId: user,
    contentType: 'application/json',
    persistent: true,
    mandatory: true,
    headers: {
      cloudEvents_specversion: '1.0',
      cloudEvents_source: 'publisher-node',
      cloudEvents_orgid: org,
      ...(actor ? { cloudEvents_actor: actor } : {}),
    },
  };
  return new Promise((resolve, reject) => {
    channel.publish('reprise.commands', RESTART, body, properties, (error) =>
      error ? reject(new Failure(`the broker did not take the command: ${error.message}`)) : resolve(),
    );
  });
}

try {
  const { operation_id: operation } = await restart(options());
  console.log(`succeeded: ${operation}`);
} catch (error) {
  console.error(error instanceof Failure ? error.message : `cannot restart: ${error.message || error.code}`);
  process.exitCode = 1;
}
