import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Schema } from '@reprise/contracts';
import type { BrokerClient } from '../broker-client';
import { ROOT } from '../settings';
import { breachesOf } from './breaches';
import { inTurns, type Run } from './run';
import { Schemas } from './schemas';
import { validValues } from './valid-values';

interface AsyncApi {
  operations: Record<string, { action: string }>;
  channels: Record<string, { bindings: { amqp: { exchange: { name: string } } } }>;
  components: {
    messages: Record<string, { name: string; payload: Schema }>;
    messageTraits: Record<'command' | 'event', { headers: Schema }>;
    schemas: Record<string, Schema>;
  };
}

const document = JSON.parse(readFileSync(join(ROOT, 'docs/asyncapi.json'), 'utf8')) as AsyncApi;
const SCHEMAS = new Schemas(document);
/** Of invalid ones; each is a dead letter. */
const SAMPLES = 4;

/** A command or a query that an internal service may send. */
export interface Command {
  type: string;
  exchange: string;
  payload: Schema;
}

/** Every command and query that docs/asyncapi.json has. */
export const COMMANDS: readonly Command[] = Object.entries(document.operations)
  .filter(([, { action }]) => action === 'receive')
  .map(([name]) => {
    const { name: type, payload } = document.components.messages[name]!;
    return { type, exchange: document.channels[name]!.bindings.amqp.exchange.name, payload };
  });

/** The headers and properties of events. */
export const EVENT_HEADERS: Schema = document.components.messageTraits.event.headers;

/** What is wrong with the headers and properties of an event, by the document; null where nothing is. */
export function headersProblem(headers: object): string | null {
  return SCHEMAS.problem({ ...EVENT_HEADERS, additionalProperties: false }, headers);
}

/** For whom commands are sent, and what exists there. */
export interface Target {
  client: BrokerClient;
  org: string;
  known: Readonly<Record<string, string>>;
}

/** Sends payloads that the document allows. @returns how many; @throws Error with the seed and the smallest that is refused for its form */
export async function sendValidCommands(target: Target, command: Command, { seed, runs }: Run): Promise<number> {
  const { type, payload } = command;
  let sent = 0;
  const property = fc.asyncProperty(validValues(SCHEMAS, payload), fc.boolean(), async (data, exists) => {
    sent += 1;
    const reply = await ask(target, command, exists ? named(data as object, target.known) : data);
    if (isOfForm(reply)) throw new Error(`${type}: valid data is answered ${JSON.stringify(reply)}`);
  });
  await fc.assert(property, { seed, numRuns: runs });
  return sent;
}

/** Sends payloads that break the document by one thing. @returns how many, and each that was not refused for its form */
export async function sendInvalidCommands(target: Target, command: Command, { seed }: Run): Promise<{ sent: number; wrong: string[] }> {
  const { type, payload } = command;
  const wrong: string[] = [];
  let sent = 0;
  const valid = fc.sample(validValues(SCHEMAS, payload, { full: true }), { seed, numRuns: SAMPLES });
  await inTurns(breachesOf(SCHEMAS, payload), async ({ what, spoil }, index) => {
    const data = spoil(valid[index % SAMPLES]);
    if (SCHEMAS.allows(payload, data)) return;
    sent += 1;
    const reply = await ask(target, command, data);
    if (!isOfForm(reply)) wrong.push(`${type}, ${what}: ${JSON.stringify(reply)}; seed ${seed}`);
  });
  return { sent, wrong };
}

interface ReplyBody {
  status: 'done' | 'refused' | 'failed';
  reason?: string;
  refusal?: { code: string };
}

async function ask({ client, org }: Target, { type, exchange }: Command, data: unknown): Promise<ReplyBody> {
  return (await client.ask({ type, exchange, org, data })) as ReplyBody;
}

/** Refused for its form: a dead letter, or a `validation_error`. */
function isOfForm({ status, refusal }: ReplyBody): boolean {
  return status === 'failed' || refusal?.code === 'validation_error';
}

function named(data: object, known: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(data).map(([field, value]) => [field, known[field] ?? (value as unknown)]));
}
