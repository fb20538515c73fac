import { OPERATIONS } from './support/contract/api';
import { codeOf, securityHeaders, send, undocumented } from './support/contract/answers';
import { COMMANDS, EVENT_HEADERS, headersProblem, sendInvalidCommands, sendValidCommands } from './support/contract/commands';
import { settingsOf, withValue } from './support/contract/probes';
import { runOfEnvironment, sendInvalid, sendProbes, sendValid } from './support/contract/run';
import { makeWorld, SETTINGS, TIGHT, type World } from './support/contract/world';
import { eventually, promise, unique, useStack } from './support';

/** To repeat a run: GENERATED_INPUT_SEED=…; for a longer one: GENERATED_INPUT_RUNS=200. */
const run = runOfEnvironment();
const stack = useStack({ settings: SETTINGS });
const sent = { valid: 0, invalid: 0, validCommands: 0, invalidCommands: 0 };
let world: World;

beforeAll(async () => void (world = await makeWorld(stack)), 180_000);
afterAll(() => {
  const rest = `${sent.valid} valid and ${sent.invalid} invalid requests to ${OPERATIONS.length} operations`;
  const commands = `${sent.validCommands} valid and ${sent.invalidCommands} invalid payloads of ${COMMANDS.length} commands`;
  process.stderr.write(`generated input, seed ${run.seed}: ${rest}; ${commands}\n`);
});

test('the documents have operations and commands, all of which are driven', () => {
  expect(OPERATIONS.length).toBeGreaterThan(30);
  expect(COMMANDS.length).toBeGreaterThan(5);
});

describe('input that openapi.json allows is never refused for its form, and is answered as documented', () => {
  for (const operation of OPERATIONS) {
    promise(operation.title, async () => {
      const count = await sendValid(world.caller, operation, world.known, run);
      expect(count).toBeGreaterThanOrEqual(run.runs);
      sent.valid += count;
    });
  }
});

describe('input that openapi.json forbids is always refused, with the documented code', () => {
  for (const operation of OPERATIONS) {
    promise(operation.title, async () => {
      const { sent: count, wrong } = await sendInvalid(world.caller, operation, world.known, run);
      expect(wrong).toEqual([]);
      expect(count).toBeGreaterThan(0);
      sent.invalid += count;
    });
  }
});

describe('what JSON Schema cannot express is listed in x-beyond-schema, and refused with the code that stands there', () => {
  promise('sizes, depths and cursors: just within is taken, just beyond is refused', async () => {
    const kinds = new Set<string>();
    for (const operation of OPERATIONS) {
      const { probes, wrong } = await sendProbes(world.caller, operation, world.known, run);
      expect(wrong).toEqual([]);
      for (const { rule } of probes) kinds.add(rule.rule);
    }
    expect([...kinds].sort()).toEqual(['body_bytes', 'depth', 'issued', 'json_bytes', 'value_bytes', 'values']);
  });
});

describe('data of commands', () => {
  const target = () => ({ client: stack.publisher, org: world.caller.org, known: { ...world.known.body, workspace_id: world.workspace } });

  for (const command of COMMANDS) {
    promise(`${command.type}: what asyncapi.json allows is never refused for its form; what it forbids always is`, async () => {
      sent.validCommands += await sendValidCommands(target(), command, run);
      const { sent: count, wrong } = await sendInvalidCommands(target(), command, run);
      expect(wrong).toEqual([]);
      expect(count).toBeGreaterThan(0);
      sent.invalidCommands += count;
    });
  }
});

/** AMQP properties by the names that asyncapi.json has for them. */
const PROPERTY_NAMES: Readonly<Record<string, string>> = {
  messageId: 'message-id',
  correlationId: 'correlation-id',
  contentType: 'content-type',
  deliveryMode: 'delivery-mode',
  userId: 'user-id',
  appId: 'app-id',
};

test('every header and property of an event is documented, and every one that is documented is sent', () => {
  const seen = new Set<string>();
  const { events } = stack.publisher;
  expect(events.length).toBeGreaterThan(10);
  for (const { type, headers, properties = {} } of events) {
    const named = Object.entries(properties).map(([name, value]): [string, unknown] => [PROPERTY_NAMES[name] ?? name, value]);
    const all = { ...headers, ...Object.fromEntries(named) };
    expect([type, headersProblem(all)]).toEqual([type, null]);
    for (const name of Object.keys(all)) seen.add(name);
  }
  expect([...seen].sort()).toEqual(Object.keys(EVENT_HEADERS.properties ?? {}).sort());
});

describe('headers of answers', () => {
  const operation = OPERATIONS.find(({ title }) => title === 'GET /v1/workspaces')!;
  const empty = { path: {}, query: [], headers: {}, body: undefined };

  promise('that are documented are sent: with a result, a refusal, and without a token', async () => {
    const answers = [
      await send(world.caller, operation, empty),
      await send(world.caller, operation, { ...empty, query: [['limit', '0']] }),
      await stack.api.get('/v1/workspaces'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 401]);
    for (const answer of answers) {
      expect(undocumented(operation, answer)).toBeNull();
      const limits = answer.status === 401 ? [] : ['x-ratelimit-limit', 'x-ratelimit-remaining'];
      const challenge = answer.status === 401 ? ['www-authenticate'] : [];
      for (const name of ['x-request-id', 'cache-control', ...limits, ...challenge, ...securityHeaders()])
        expect([answer.status, name, answer.headers.has(name)]).toEqual([answer.status, name, true]);
    }
    const names = new Set(Object.values(operation.responses).flatMap(({ headers }) => Object.keys(headers)));
    expect([...names].sort()).toEqual(
      ['Cache-Control', 'Retry-After', 'WWW-Authenticate', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-Request-Id'].sort(),
    );
  });

  promise('of an answer to too many requests, and of one while a service is away, say when to come back', async () => {
    await stack.service('gateway').kill();
    await stack.service('gateway').start({ RATE_LIMIT_PER_MINUTE: '2', QUERY_TIMEOUT_MS: '500', RESEND_EVERY_MS: '200' });
    await stack.service('lifecycle').kill();
    const [away, , limited] = [
      await send(world.caller, operation, empty),
      await send(world.caller, operation, empty),
      await send(world.caller, operation, empty),
    ];
    expect([away.status, limited.status]).toEqual([503, 429]);
    for (const answer of [away, limited]) {
      expect(undocumented(operation, answer)).toBeNull();
      for (const name of ['retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining']) expect(answer.headers.has(name)).toBe(true);
    }
    await stack.service('gateway').kill();
    await Promise.all([stack.service('gateway').start(), stack.service('lifecycle').start()]);
  });
});

promise('what a role may ask for in an installation is listed in x-beyond-schema, and more is refused with that code', async () => {
  const limited = OPERATIONS.flatMap((operation) => settingsOf(operation).map((setting) => ({ operation, ...setting })));
  expect(new Set(limited.map(({ rule }) => rule.setting)).size).toBe(5);
  await stack.service('lifecycle').kill();
  await stack.service('lifecycle').start(TIGHT);
  const wrong: unknown[] = [];
  for (const { operation, path, rule } of limited) {
    const asked = withValue({}, path, rule.setting === 'ROLE_IMAGE_PREFIXES' ? 'other/image' : 200);
    const { provider_id } = world.known.body;
    const body = operation.method === 'PATCH' ? asked : { name: unique('role'), command: ['sh'], provider_id, ...asked };
    const answer = await eventually(async () => {
      const got = await send(world.caller, operation, { path: world.known.path, query: [], headers: {}, body });
      expect(got.status).not.toBe(503);
      return got;
    });
    if (codeOf(answer) !== rule.code) wrong.push([operation.title, path.join('.'), answer.status, codeOf(answer)]);
  }
  expect(wrong).toEqual([]);
});
