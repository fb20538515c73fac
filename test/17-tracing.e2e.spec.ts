import { eventually, fill, promise, type SpanTree, TraceCollector, useStack } from './support';

const collector = new TraceCollector();
// Before the stack, whose services are told where it listens.
beforeAll(() => collector.listen());
const stack = useStack({ settings: collector.settings });
afterAll(() => collector.close());

const STEPS = ['quiesce', 'snapshot', 'verify', 'teardown', 'create', 'restore', 'ready'];
const REQUEST = 'gateway: POST /v1/workspaces/:workspace_id/restart';
const ACCEPTED = [
  ...[REQUEST, 'gateway: request reprise.workspace.restart.v1', 'lifecycle: process lifecycle.commands'],
  ...['lifecycle: transaction', 'lifecycle: publish reprise.pod.replace.v1', 'provisioner: process provisioner.commands'],
];
const PROMPT = 'echo a-word-that-is-the-tasks-own > begun.txt; sleep 300';

/** The one span of lifecycle in which the operation ended. */
function endOf(tree: SpanTree) {
  const ends = tree.spans.filter(({ attributes }) => 'reprise.operation.end' in attributes);
  expect(ends).toHaveLength(1);
  return ends[0]!;
}

/** A workspace in the middle of a task. */
async function busy() {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.running(id, PROMPT);
  return { alice, id };
}

promise('a forced restart is one trace, from the request through every step to the event that ends it', async () => {
  const { alice, id } = await busy();
  const operation = await alice.begin(id, 'restart?force=true');
  await alice.succeeded(operation);
  const tree = await collector.traceOf(operation, (spans) => {
    endOf(spans);
    spans.the('publish reprise.operation.succeeded.v1');
  });
  // How the tree in docs/tracing.md was made.
  if (process.env.PRINT_TRACE) process.stdout.write(`${tree.print()}\n`);

  expect(tree.roots.map(({ service, name, kind }) => [service, name, kind])).toEqual([
    ['gateway', 'POST /v1/workspaces/:workspace_id/restart', 'server'],
  ]);
  expect(tree.orphans).toEqual([]);
  expect(tree.spans.filter(({ failed }) => failed)).toEqual([]);
  expect([...new Set(tree.spans.map(({ service }) => service))].sort()).toEqual(['billing', 'gateway', 'lifecycle', 'provisioner']);

  // The gateway asks billing, then lifecycle, which tells the provisioner through its outbox.
  expect(tree.pathTo(tree.the('process billing.queries'))).toEqual([
    ...[REQUEST, 'gateway: request reprise.tenant.posture.v1', 'billing: process billing.queries'],
  ]);
  const accepted = tree.the('process provisioner.commands');
  expect(tree.pathTo(accepted)).toEqual(ACCEPTED);

  // Every step once, in order, each with the calls that it makes.
  const steps = tree.spans.filter(({ name }) => name.startsWith('step ')).sort((a, b) => Number(a.startNs - b.startNs));
  expect(steps.map(({ name }) => name)).toEqual(STEPS.map((step) => `step ${step}`));
  expect(steps.map((step) => tree.parentOf(step))).toEqual(STEPS.map(() => accepted));
  const called = (step: string) => tree.childrenOf(tree.the(`step ${step}`)).map(({ name }) => name);
  expect(called('quiesce')).toEqual(expect.arrayContaining(['driver inspect', 'agent quiesce']));
  expect(called('snapshot')).toContain('agent snapshot');
  expect(called('teardown')).toContain('driver remove');
  expect(called('create')).toContain('driver create');
  expect(called('restore')).toContain('agent restore');
  expect(called('ready')).toEqual(expect.arrayContaining(['agent resume-work', 'agent health']));

  // Each step's end is told to lifecycle, the last one's is the end of the operation.
  for (const step of STEPS) expect(called(step)).toContain('publish reprise.pod.step-changed.v1');
  expect(tree.pathTo(endOf(tree))).toEqual([
    ...ACCEPTED,
    ...['provisioner: step ready', 'provisioner: publish reprise.pod.ready.v1', 'lifecycle: process lifecycle.events'],
  ]);
  expect(tree.parentOf(tree.parentOf(tree.the('publish reprise.operation.succeeded.v1'))!)).toEqual(endOf(tree));

  // What each says of itself.
  const about = { 'reprise.org.id': alice.org, 'reprise.workspace.id': id, 'reprise.operation.id': operation };
  expect(tree.roots[0]!.attributes).toMatchObject({
    ...about,
    ...{ 'http.request.method': 'POST', 'http.route': '/v1/workspaces/:workspace_id/restart', 'http.response.status_code': 202 },
  });
  expect(accepted).toMatchObject({
    kind: 'consumer',
    attributes: { ...about, 'messaging.system': 'rabbitmq', 'reprise.message.attempt': 1 },
  });
  for (const step of steps) expect(step.attributes).toMatchObject({ ...about, 'reprise.generation': 2, 'reprise.step.attempt': 1 });
  expect(endOf(tree).attributes).toMatchObject({ 'reprise.message.outcome': 'done', 'reprise.operation.end': 'restart succeeded' });

  // The lines of the log bear the same trace.
  for (const service of ['gateway', 'lifecycle', 'provisioner'] as const) {
    const lines = stack.service(service).log().split('\n');
    const about = lines.filter((line) => line.includes(`"operation_id":"${operation}"`));
    expect(about.length).toBeGreaterThan(0);
    for (const line of about) expect(JSON.parse(line)).toMatchObject({ trace_id: tree.roots[0]!.traceId });
  }
});

promise('a provisioner killed in the middle of a step leaves the steps after it in the same trace', async () => {
  const { alice, id } = await busy();
  fill(stack.pod(id).files, { megabytes: 24 });
  const operation = await alice.begin(id, 'restart?force=true');
  await alice.inPhase(operation, 'snapshot');
  await stack.service('provisioner').kill();
  await stack.service('provisioner').start({ JOB_LEASE_SECONDS: '2' });
  await alice.succeeded(operation);
  const tree = await collector.traceOf(operation, (spans) => {
    endOf(spans);
    expect(spans.named('step ready')).toHaveLength(1);
  });

  const again = tree.spans.filter(({ name, attributes }) => name.startsWith('step ') && Number(attributes['reprise.step.attempt']) > 1);
  expect(again).toHaveLength(1);
  const after = STEPS.slice(STEPS.indexOf(again[0]!.name.slice('step '.length)));
  // In the very place where they would have stood, and not in a trace or under a root of their own.
  for (const step of after) expect(tree.named(`step ${step}`).at(-1)).toMatchObject({ parentId: tree.the('step ready').parentId });
  expect(tree.pathTo(endOf(tree)).at(-3)).toBe('provisioner: step ready');
  expect(tree.roots).toHaveLength(1);
});

promise('no span tells a token, a password or what a task was asked', async () => {
  const { alice, id } = await busy();
  const operation = await alice.begin(id, 'restart?force=true');
  await alice.succeeded(operation);
  await collector.traceOf(operation, endOf);
  for (const secret of [alice.token, stack.podTokenSecret, 'a-word-that-is-the-tasks-own', ...stack.ground.passwords]) {
    expect(collector.told).not.toContain(secret);
  }
});

promise('a collector that has gone slows no request and is missed once', async () => {
  const { alice, id } = await busy();
  await collector.close();
  await alice.succeeded(await alice.begin(id, 'restart?force=true'));
  for (let i = 0; i < 20; i += 1) await alice.see(id);
  const missed = () =>
    stack
      .service('gateway')
      .log()
      .split('\n')
      .filter((line) => line.includes('Traces do not reach'));
  await eventually(() => expect(missed()).toHaveLength(1), { within: 20_000 });
  await alice.restart(id);
  expect(missed()).toHaveLength(1);
  // The last words have a limit: a service does not wait for the collector to end.
  expect(await stack.service('gateway').stop()).toBe(0);
});
