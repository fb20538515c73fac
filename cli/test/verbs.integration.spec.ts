import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type INestApplication, Logger } from '@nestjs/common';
import { EXCHANGE, QUEUES } from '@reprise/contracts';
import { deadQueueOf } from '@reprise/messaging';
import { startBilling } from '../../services/billing/test/support/start-billing';
import { record } from '../src/testing/recorder';
import { TestInstance } from './support/instance';

let instance: TestInstance;
let billing: INestApplication;
let health: Server;

const reprise = async (args: string[], more: NodeJS.ProcessEnv = {}) => {
  const { code, out, err } = await record(args, { ...instance.env, ...more });
  return { code, out, err, json: () => JSON.parse(out) };
};

beforeAll(async () => {
  Logger.overrideLogger(false);
  instance = await TestInstance.create();
  expect((await reprise(['setup'])).code).toBe(0);
  billing = await startBilling(instance.broker, instance.database);
  health = createServer((request, response) => {
    const ready = request.url === '/health/ready';
    response.writeHead(ready ? 503 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'error', details: { process: { status: 'up' }, broker: { status: 'down' } } }));
  });
  await new Promise<void>((resolve) => health.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  health?.close();
  await billing?.close();
  await instance?.drop();
});

describe('reprise tenants', () => {
  it('sets a posture and tells what the tenant may from now on', async () => {
    expect(await reprise(['tenants', 'set', 'acme', '--posture', 'active'])).toMatchObject({
      code: 0,
      out: 'acme is active: it may add\n',
      err: '',
    });
    const trial = await reprise(['tenants', 'set', 'acme', '--posture', 'trial', '--trial-ends-at', '2020-01-31T12:00:00+01:00', '--json']);
    expect(trial.json()).toEqual({ org_id: 'acme', posture: 'trial', trial_ends_at: '2020-01-31T11:00:00.000Z', may_add: false });
  });

  it('lists the tenants', async () => {
    await reprise(['tenants', 'set', 'busy.inc', '--posture', 'past_due']);
    const list = await reprise(['tenants', 'list']);
    expect(list.out).toMatch(
      /^TENANT +POSTURE +TRIAL ENDS +MAY ADD\nacme +trial +2020-01-31T11:00:00.000Z +no\nbusy.inc +past_due +- +no\n$/,
    );
    expect((await reprise(['tenants', 'list', '--json'])).json()).toMatchObject({ tenants: [{ org_id: 'acme' }, { org_id: 'busy.inc' }] });
  });

  it('tells of a wrong name at once, and leaves no dead letter of it', async () => {
    const { code, err } = await reprise(['tenants', 'set', 'no spaces', '--posture', 'active']);
    expect(code).toBe(2);
    expect(err).toMatch(/org_id must be/);
    expect(await instance.broker.count(deadQueueOf('billing.commands'))).toBe(0);
  });
});

describe('reprise status', () => {
  it('shows how deep each queue is, who consumes it and what died in it, and says what is wrong: exit code 1', async () => {
    const { channel } = instance.broker;
    await instance.broker.publish(EXCHANGE.dead, 'lifecycle.commands', {});
    await instance.broker.publish(EXCHANGE.retry, 'lifecycle.commands', {});
    const address = `http://127.0.0.1:${(health.address() as AddressInfo).port}`;
    const { code, json, err } = await reprise(['status', '--json'], { LIFECYCLE_HEALTH_URL: address, GATEWAY_URL: 'http://127.0.0.1:2' });
    expect(code).toBe(1);
    expect(json()).toMatchObject({
      ok: false,
      services: [
        { name: 'gateway', status: 'down', detail: expect.stringContaining('ECONNREFUSED') },
        { name: 'lifecycle', status: 'unready', detail: 'not ready: broker' },
      ],
      operations_in_flight: null,
    });
    const queues = json().queues as { name: string }[];
    expect(queues.map(({ name }) => name)).toEqual(QUEUES.map(({ name }) => name));
    expect(queues.find(({ name }) => name === 'lifecycle.commands')).toMatchObject({ exists: true, depth: 1, consumers: 0, dead: 1 });
    expect(queues.find(({ name }) => name === 'billing.commands')).toMatchObject({ exists: true, depth: 0, consumers: 1, dead: 0 });
    const found = (json().findings as { code: string; what: string; do: string }[]).map(({ code, what }) => `${code}: ${what}`);
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^service_down: gateway is down: .*ECONNREFUSED/),
        'service_unready: lifecycle is not ready: broker',
        'queue_unconsumed: nobody consumes provisioner.commands',
        'dead_letters_uncollected: 1 dead letter of lifecycle.commands waits to be collected by deadletters',
      ]),
    );
    expect(JSON.parse(err).error.message).toMatch(
      /gateway is down.*; lifecycle is not ready: broker; .*nobody consumes provisioner.commands/,
    );
    await channel.purgeQueue('lifecycle.commands');
  });

  it('says that a queue is missing', async () => {
    await instance.broker.channel.deleteQueue('provisioner.commands');
    const { code, out, err } = await reprise(['status']);
    expect(code).toBe(1);
    expect(out).toMatch(/provisioner.commands +missing/);
    expect(err).toContain('the queue provisioner.commands does not exist');
  });
});
