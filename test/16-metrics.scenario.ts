import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, expectRefusal, must, promise, ROOT, SERVICES, useStack } from './support';

type ServiceName = (typeof SERVICES)[number];

const stack = useStack();
const RESTART = 'reprise.workspace.restart.v1';

/** The sum of all series of a metric that have these labels. */
async function sumOf(service: ServiceName, metric: string, labels: Record<string, string> = {}): Promise<number> {
  const lines = (await stack.service(service).metrics())
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));
  const wanted = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  const fitting = lines.filter((line) => wanted.every((label) => new RegExp(`[{,]${label.replaceAll('.', '\\.')}[,}]`).test(line)));
  return fitting.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Figures of the database hold for up to 15 seconds. */
const becomes = (service: ServiceName, metric: string, labels: Record<string, string>, least: number): Promise<void> =>
  eventually(
    async () =>
      expect({ service, metric, labels, least, enough: (await sumOf(service, metric, labels)) >= least }).toMatchObject({ enough: true }),
    {
      within: 25_000,
      every: 250,
    },
  );

promise('every service tells of a create, a restart, a refusal and a dead letter', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.restart(id);
  expectRefusal(await alice.post(`/v1/workspaces/${id}/archive`), 'invalid_state');
  const late = await stack.tenant();
  await late.posture('past_due');
  expectRefusal(await late.alice.post('/v1/workspaces', { role_id: 'role_00000000000000000000000000' }), 'billing_inactive');
  await stack.publisher.publish({ type: RESTART, data: null, raw: Buffer.from('{') });

  // The gateway: what it was asked and answered, by route.
  await becomes(
    'gateway',
    'http_server_request_duration_seconds_count',
    { route: '/v1/workspaces/:workspace_id/restart', status_code: '202' },
    1,
  );
  await becomes('gateway', 'reprise_api_errors_total', { code: 'invalid_state' }, 1);
  await becomes('gateway', 'reprise_api_errors_total', { code: 'billing_inactive' }, 1);
  await becomes('gateway', 'messaging_request_duration_seconds_count', { type: RESTART, outcome: 'done' }, 1);
  expect(await stack.service('gateway').metrics()).not.toContain(id);

  // Lifecycle: commands by outcome, operations and their phases.
  await becomes('lifecycle', 'messaging_messages_handled_total', { type: RESTART, outcome: 'done' }, 1);
  await becomes('lifecycle', 'messaging_messages_handled_total', { outcome: 'refused', code: 'invalid_state' }, 1);
  await becomes('lifecycle', 'messaging_messages_handled_total', { queue: 'lifecycle.commands', outcome: 'dead', code: 'unparseable' }, 1);
  await becomes('lifecycle', 'reprise_operations_ended_total', { kind: 'create', outcome: 'succeeded' }, 1);
  await becomes('lifecycle', 'reprise_operation_duration_seconds_count', { kind: 'restart', outcome: 'succeeded' }, 1);
  for (const phase of ['quiesce', 'snapshot', 'verify', 'teardown', 'create', 'restore', 'ready']) {
    await becomes('lifecycle', 'reprise_operation_phase_duration_seconds_count', { kind: 'restart', phase, outcome: 'succeeded' }, 1);
  }
  await becomes('lifecycle', 'reprise_workspaces', { status: 'idle' }, 1);
  await becomes('lifecycle', 'messaging_queue_consumers', { queue: 'lifecycle.commands' }, 1);

  // The provisioner: jobs, steps, pods, snapshots.
  await becomes('provisioner', 'reprise_jobs_ended_total', { kind: 'replace', outcome: 'succeeded' }, 1);
  await becomes('provisioner', 'reprise_job_step_duration_seconds_count', { step: 'snapshot', outcome: 'succeeded' }, 1);
  await becomes('provisioner', 'reprise_snapshot_size_bytes_count', {}, 1);
  await becomes('provisioner', 'reprise_snapshot_stored_bytes_total', {}, 1);
  await becomes('provisioner', 'reprise_snapshot_store_call_duration_seconds_count', { call: 'get', outcome: 'ok' }, 1);
  await becomes('provisioner', 'reprise_pod_driver_call_duration_seconds_count', { call: 'create', outcome: 'ok' }, 2);
  await becomes('provisioner', 'reprise_pods', { status: 'live' }, 1);
  await becomes('provisioner', 'reprise_reconcile_last_pass_timestamp_seconds', {}, 1);

  // Billing and the dead letters.
  await becomes('billing', 'messaging_messages_handled_total', { type: 'reprise.tenant.posture.v1', outcome: 'done' }, 1);
  await becomes('deadletters', 'reprise_dead_letters_collected_total', { queue: 'lifecycle.commands', reason: 'unparseable' }, 1);
  await becomes('deadletters', 'reprise_dead_letters', { queue: 'lifecycle.commands', reason: 'unparseable' }, 1);
  await becomes('deadletters', 'reprise_dead_letters_oldest_age_seconds', {}, 0.001);
});

for (const name of SERVICES) {
  promise(`${name} tells exactly the metrics that are documented for it`, async () => {
    const text = await stack.service(name).metrics();
    const told = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, metric]) => metric!).filter((metric) => !/^(process|nodejs)_/.test(metric));
    const { METRICS } = (await import(join(ROOT, `services/${name}/dist/metrics/${name}.metrics.js`))) as { METRICS: { name: string }[] };
    expect(told.sort()).toEqual(METRICS.map((metric) => metric.name).sort());
    const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
    for (const metric of told) expect(page).toContain(`| \`${metric}\` |`);
  });

  promise(`${name} reads every source of its figures`, async () => {
    await eventually(async () => {
      const text = await stack.service(name).metrics();
      expect(text).toMatch(/^metrics_source_up\{source="connection"\} 1$/m);
      expect(text).not.toMatch(/^metrics_source_up\{.*\} 0$/m);
    });
  });
}

promise('the public port has no metrics, with or without a token', async () => {
  const { alice } = await stack.tenant();
  expectRefusal(await stack.api.get('/metrics'), 'route_not_found');
  expectRefusal(await alice.get('/metrics'), 'route_not_found');
  expect(JSON.stringify(must(200, await stack.api.get('/openapi.json')))).not.toContain('/metrics');
});
