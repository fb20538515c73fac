import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Caller } from '../caller';
import type { Operation } from './api';
import { codeOf, send, undocumented } from './answers';
import { type Probe, probesOf } from './probes';
import { badRequests, type Known, type Request, validRequests } from './requests';

/** The codes of refusals for the form of what was sent. */
const OF_FORM = ['validation_error', 'idempotency_key_reused', 'payload_too_large', 'unsupported_media_type'];

const KEY = 'Idempotency-Key';
/** How many valid requests are spoilt, each in many ways. */
const SAMPLES = 8;
const AT_A_TIME = 6;

/** What a run was sent with, for whoever repeats it. */
export interface Run {
  seed: number;
  /** Valid requests for each operation. */
  runs: number;
}

/** From GENERATED_INPUT_SEED and GENERATED_INPUT_RUNS; by default another seed each time. */
export function runOfEnvironment(): Run {
  const { GENERATED_INPUT_SEED: seed = String(Date.now() % 2 ** 31), GENERATED_INPUT_RUNS: runs = '20' } = process.env;
  return { seed: Number(seed), runs: Number(runs) };
}

/** Sends requests that the document allows. @returns how many; @throws Error with the seed and the smallest request that is not answered as documented */
export async function sendValid(caller: Caller, operation: Operation, known: Known, { seed, runs }: Run): Promise<number> {
  let sent = 0;
  const property = fc.asyncProperty(validRequests(operation, known), async (request) => {
    sent += 1;
    const answer = await send(caller, operation, withOwnKey(request));
    const code = codeOf(answer) ?? '';
    const wrong =
      OF_FORM.includes(code) || answer.status >= 500 ? `${answer.status} ${JSON.stringify(answer.body)}` : undocumented(operation, answer);
    if (wrong !== null) throw new Error(`${operation.title}: a valid request is answered ${wrong}`);
  });
  await fc.assert(property, { seed, numRuns: runs });
  return sent;
}

/** Does the work for each, a few at a time. */
export async function inTurns<T>(all: readonly T[], work: (each: T, index: number) => Promise<void>): Promise<void> {
  const rest = [...all.entries()];
  const turns = Array.from({ length: AT_A_TIME }, async () => {
    for (let next = rest.shift(); next; next = rest.shift()) await work(next[1], next[0]);
  });
  await Promise.all(turns);
}

/** A key is used once: with another request it would be refused, as documented. */
function withOwnKey(request: Request): Request {
  const key = request.headers[KEY];
  return key === undefined ? request : { ...request, headers: { ...request.headers, [KEY]: key.slice(0, 200) + randomUUID() } };
}

/** Sends each request that breaks the document by one thing. @returns how many, and each that was not refused as documented */
export async function sendInvalid(
  caller: Caller,
  operation: Operation,
  known: Known,
  { seed }: Run,
): Promise<{ sent: number; wrong: string[] }> {
  const wrong: string[] = [];
  let sent = 0;
  const bad = badRequests(operation);
  const valid = fc.sample(validRequests(operation, known, { full: true }), { seed, numRuns: SAMPLES });
  await inTurns(bad, async ({ what, code, of, isForbidden }, index) => {
    const request = of({ ...valid[index % SAMPLES]!, headers: {} });
    if (!isForbidden(request)) return;
    sent += 1;
    const answer = await send(caller, operation, request);
    const found = `${answer.status} ${codeOf(answer) ?? ''}`;
    const isDocumented = code === 'route_not_found' ? null : undocumented(operation, answer);
    if (codeOf(answer) !== code || isDocumented !== null) wrong.push(`${operation.title}, ${what}: ${isDocumented ?? found}; seed ${seed}`);
  });
  return { sent, wrong };
}

/** Sends what is just within and just beyond each rule that JSON Schema cannot express. @returns what was not answered as documented */
export async function sendProbes(
  caller: Caller,
  operation: Operation,
  known: Known,
  { seed }: Run,
): Promise<{ probes: Probe[]; wrong: string[] }> {
  const wrong: string[] = [];
  const probes = probesOf(operation);
  const [valid] = fc.sample(validRequests(operation, known, { full: true }), { seed, numRuns: 1 });
  const base = { ...valid!, path: { ...valid!.path, ...known.path }, headers: {} };
  for (const { what, rule, within, beyond } of probes) {
    const refused = await send(caller, operation, beyond(base));
    if (codeOf(refused) !== rule.code || undocumented(operation, refused) !== null)
      wrong.push(`${operation.title}, beyond ${what}: ${refused.status} ${codeOf(refused) ?? ''}`);
    const taken = within ? await send(caller, operation, within(base)) : undefined;
    if (taken && (codeOf(taken) === rule.code || taken.status >= 500))
      wrong.push(`${operation.title}, within ${what}: ${taken.status} ${JSON.stringify(taken.body)}`);
  }
  return { probes, wrong };
}
