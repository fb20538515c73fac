// @ts-check
/** docs/asyncapi.json: what an internal service may send and hear, in AsyncAPI 3, made from the contract library. */
import { readFileSync } from 'node:fs';
import { wordsOfField } from './message-words.mjs';

/** @typedef {import('../../libs/contracts/dist/index.js')} Contracts */
/** @typedef {import('../../libs/contracts/dist/index.js').MessageClass} Message */
/** @typedef {Map<string, import('./message-words.mjs').Words>} Words */

/** Of the program that keeps this contract. What changed in it from one to the next is in CHANGELOG.md. */
const VERSION = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
const BINDING = '0.3.0';
const USER = 'reprise_publisher';
/** Only the gateway may send these. */
const NOT_FOR_PUBLISHERS = ['caller', 'idempotency'];
const DIRECT = 'amq.rabbitmq.reply-to';
const DIRECT_REPLY = `${DIRECT}, RabbitMQ’s direct reply-to, or a queue of yours.`;

const INTRODUCTION = `Reprise restarts, stops and resumes stateful agent workspaces. This is how another service of the house commands it, and hears of
it, on RabbitMQ; docs/messages.md tells it as a story, with what is guaranteed.

Messages are CloudEvents 1.0 in binary mode on AMQP 0-9-1. In \`headers\` here, names with a hyphen are AMQP properties (\`message-id\` is the property of
that name); all others are AMQP headers. A message's routing key is its type, which is the address of its channel.

JSON Schema has no word for the size of the data: at most 4 MiB, 10,000 values and 64 levels. A message with more is a dead letter (\`invalid\`).`;

/** @param {Contracts} contracts @param {Words} words @returns {string} */
export function asyncapi(contracts, words) {
  const { MESSAGES, mayPublish } = contracts;
  const commands = MESSAGES.filter((message) => message.kind === 'command' && mayPublish(USER, message));
  const queries = MESSAGES.filter((message) => message.kind === 'query' && mayPublish(USER, message));
  const events = MESSAGES.filter((message) => message.kind === 'event');
  const described = [...commands, ...queries, ...events];
  const document = {
    asyncapi: '3.0.0',
    info: { title: 'Reprise', version: VERSION, description: INTRODUCTION, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    servers: { broker: SERVER },
    channels: { ...Object.fromEntries(described.map((message) => [message.name, channelOf(message, contracts)])), Replies: REPLIES },
    operations: Object.fromEntries(described.map((message) => [message.name, operationOf(message, words)])),
    components: {
      messages: { ...Object.fromEntries(described.map((message) => [message.name, messageOf(message, contracts, words)])), Reply: REPLY },
      schemas: { Reply: replySchema(contracts) },
      messageTraits: { command: trait(COMMAND_HEADERS), query: trait(QUERY_HEADERS), event: trait(EVENT_HEADERS) },
      correlationIds: {
        command: {
          description: 'The correlation-id of the command that began it, or its message-id where it had none.',
          location: '$message.header#/correlation-id',
        },
      },
      securitySchemes: {
        login: {
          type: 'userPassword',
          description: `The login of a broker user with the rights of ${USER}: it may publish these commands and queries and bind its own queues to the events, and nothing else.`,
        },
      },
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const SERVER = {
  host: 'localhost:5672',
  pathname: '/{vhost}',
  protocol: 'amqp',
  protocolVersion: '0-9-1',
  description: 'RabbitMQ. An instance that runs on one machine writes its whole address to .reprise/env as PUBLISHER_AMQP_URL.',
  variables: { vhost: { default: 'reprise', description: 'The virtual host.' } },
  security: [{ $ref: '#/components/securitySchemes/login' }],
};

/** @param {Message} message @param {Contracts} contracts */
function channelOf({ name, type, kind }, { EXCHANGE_OF, EXCHANGES }) {
  const { type: exchangeType } = EXCHANGES.find((each) => each.name === EXCHANGE_OF[kind]) ?? {};
  const exchange = { name: EXCHANGE_OF[kind], type: exchangeType, durable: true, autoDelete: false };
  return {
    address: type,
    messages: { [name]: { $ref: `#/components/messages/${name}` } },
    bindings: { amqp: { is: 'routingKey', exchange, bindingVersion: BINDING } },
  };
}

/** Seen from Reprise, as AsyncAPI has it: it receives commands and queries, and sends events. @param {Message} message @param {Words} words */
function operationOf({ name, kind }, words) {
  const common = {
    channel: { $ref: `#/channels/${name}` },
    summary: words.get(name)?.about,
    messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
  };
  if (kind === 'event') return { action: 'send', ...common, bindings: { amqp: { deliveryMode: 2, bindingVersion: BINDING } } };
  const reply = {
    address: {
      location: '$message.header#/reply-to',
      description: kind === 'query' ? DIRECT_REPLY : `${DIRECT_REPLY} Leave it out to hear of the answer by events.`,
    },
    channel: { $ref: '#/channels/Replies' },
    messages: [{ $ref: '#/channels/Replies/messages/Reply' }],
  };
  const deliveryMode = kind === 'query' ? 1 : 2;
  return { action: 'receive', ...common, reply, bindings: { amqp: { deliveryMode, mandatory: true, bindingVersion: BINDING } } };
}

/** @param {Message} message @param {Contracts} contracts @param {Words} words */
function messageOf(message, { schemaOfRules, EXAMPLE }, words) {
  const { name, type, kind, example } = message;
  const payload = schemaOfRules(message, {
    describe: (field) => wordsOfField(words, name, field),
    without: kind === 'event' ? [] : NOT_FOR_PUBLISHERS,
    open: kind === 'event',
  });
  const headers = {
    ...(kind === 'event' ? EVENT_EXAMPLE : COMMAND_EXAMPLE),
    ...(kind === 'query' ? { 'reply-to': DIRECT } : {}),
    type,
    'message-id': EXAMPLE.message,
    'content-type': 'application/json',
  };
  return {
    name: type,
    title: name.replace(/(?<=[a-z])(?=[A-Z])/g, ' '),
    summary: words.get(name)?.about,
    contentType: 'application/json',
    correlationId: { $ref: '#/components/correlationIds/command' },
    traits: [{ $ref: `#/components/messageTraits/${kind}` }],
    payload,
    bindings: { amqp: { messageType: type, bindingVersion: BINDING } },
    examples: [{ name, headers, payload: kind === 'event' ? example : forPublishers(example) }],
  };
}

/** @param {object} example */
function forPublishers(example) {
  return Object.fromEntries(Object.entries(example).filter(([field]) => !NOT_FOR_PUBLISHERS.includes(field)));
}

/** @param {string} description @param {object} [more] */
const text = (description, more = {}) => ({ type: 'string', description, ...more });

const CLOUD_EVENTS = {
  'message-id': text('The CloudEvents id, unique for good. The same id is the same message: it has one effect, however often it is sent.', {
    minLength: 1,
    maxLength: 255,
  }),
  type: text('The CloudEvents type; the same as the routing key.'),
  'content-type': text('The CloudEvents datacontenttype.', { const: 'application/json' }),
  timestamp: { type: 'integer', description: 'Seconds since 1970.' },
  cloudEvents_specversion: text('Of CloudEvents.', { const: '1.0' }),
  cloudEvents_source: text('Who sends it.'),
  cloudEvents_time: text('When it was made.', { format: 'date-time' }),
  cloudEvents_subject: text('The workspace that it is about.'),
  cloudEvents_orgid: text('The tenant.', { pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$' }),
  traceparent: text('W3C Trace Context. One that is malformed is ignored.'),
};

const COMMAND_HEADERS = {
  type: 'object',
  required: ['message-id', 'type', 'user-id', 'cloudEvents_orgid'],
  properties: {
    ...CLOUD_EVENTS,
    'user-id': text('Your broker user. The broker refuses any other; Reprise refuses a command without one (unauthenticated).'),
    'correlation-id': text('Yours; every event that follows carries it. Without it they carry the message-id.', { maxLength: 255 }),
    'reply-to': text(`${DIRECT}, or a queue of yours. Leave it out to hear of the answer by events.`),
    'app-id': text('Yours, if you like; nobody reads it.'),
    'delivery-mode': { type: 'integer', description: 'Send 2, persistent: another message does not outlive the broker.' },
    cloudEvents_actor: text('On whose behalf. The operation’s requested_by is service:<user-id>/<actor>.', {
      minLength: 1,
      maxLength: 255,
    }),
  },
};

const QUERY_HEADERS = {
  ...COMMAND_HEADERS,
  required: [...COMMAND_HEADERS.required, 'reply-to'],
  properties: {
    ...COMMAND_HEADERS.properties,
    'reply-to': text(`Where the answer goes: ${DIRECT}, or a queue of yours.`),
    'delivery-mode': { type: 'integer', description: 'Whichever: a query does not outlive the broker.' },
  },
};

const EVENT_HEADERS = {
  type: 'object',
  required: [
    'message-id',
    'type',
    'content-type',
    'timestamp',
    'user-id',
    'app-id',
    'delivery-mode',
    'correlation-id',
    'cloudEvents_specversion',
    'cloudEvents_source',
    'cloudEvents_time',
  ],
  properties: {
    ...CLOUD_EVENTS,
    'user-id': text('The broker user of the service that tells it, checked by the broker.'),
    'app-id': text('The service that sends it, the same as cloudEvents_source.'),
    'delivery-mode': { type: 'integer', const: 2, description: 'Persistent.' },
    'correlation-id': text('The correlation-id of the command that began it, or its message-id.'),
    cloudEvents_actor: text('Who asked for what it tells of: the subject of a token, or service:<broker user>[/<actor>].'),
  },
};

const COMMAND_EXAMPLE = { 'user-id': USER, cloudEvents_specversion: '1.0', cloudEvents_source: 'nightly-jobs', cloudEvents_orgid: 'acme' };
const EVENT_EXAMPLE = {
  'correlation-id': 'restart-4711',
  'user-id': 'reprise_lifecycle',
  'app-id': 'lifecycle',
  'delivery-mode': 2,
  timestamp: 1793611800,
  cloudEvents_specversion: '1.0',
  cloudEvents_source: 'lifecycle',
  cloudEvents_time: '2026-11-02T09:30:00.000Z',
  cloudEvents_orgid: 'acme',
};

/** @param {object} headers */
const trait = (headers) => ({ contentType: 'application/json', headers });

const REPLIES = {
  address: null,
  description: 'The answers to queries, and to commands with a reply-to. At most once: send the same message again until one comes.',
  messages: { Reply: { $ref: '#/components/messages/Reply' } },
};

const REPLY = {
  name: 'reply',
  title: 'Reply',
  summary: 'Done with its value, refused with one code, or failed: the message is among the dead letters.',
  contentType: 'application/json',
  payload: { $ref: '#/components/schemas/Reply' },
  examples: [
    { name: 'Done', payload: { status: 'done', value: { status: 'archived' } } },
    {
      name: 'Refused',
      payload: {
        status: 'refused',
        refusal: { code: 'invalid_state', message: 'The workspace is in a state that does not allow this.', details: { status: 'failed' } },
      },
    },
    { name: 'Failed', payload: { status: 'failed', reason: 'invalid', message: 'The body is not JSON' } },
  ],
};

/** @param {Contracts} contracts */
function replySchema({ ERROR_CODES }) {
  const object = (/** @type {Record<string, object>} */ properties, /** @type {string[]} */ optional = []) => ({
    type: 'object',
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
  });
  const refusal = object(
    { code: { type: 'string', enum: Object.keys(ERROR_CODES) }, message: { type: 'string' }, details: { type: 'object' } },
    ['details'],
  );
  return {
    oneOf: [
      object({ status: { const: 'done' }, value: {} }, ['value']),
      object({ status: { const: 'refused' }, refusal }),
      object({ status: { const: 'failed' }, reason: { type: 'string' }, message: { type: 'string' } }),
    ],
  };
}
