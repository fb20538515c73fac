import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { EXCHANGE, EXCHANGES, QUEUE, QUEUES } from '@reprise/contracts';
import { assertQueue, deadQueueOf } from '@reprise/messaging';
import { DATABASE_SERVICES, type DatabaseService } from '../src/database/roles';
import { record } from '../src/testing/recorder';
import { TestInstance } from './support/instance';

let instance: TestInstance;
const id = randomBytes(6).toString('hex');

beforeAll(async () => {
  instance = await TestInstance.create();
});

afterAll(() => instance?.drop());

async function sql(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

describe('reprise setup', () => {
  it('makes everything, says on standard output alone how services connect, and changes nothing the second time', async () => {
    for (let time = 1; time <= 2; time++) {
      const { code, out } = await record(['setup'], instance.env);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toEqual({ amqp: 'per-service', database: 'per-service', vhost: instance.broker.vhost });
    }
    const { channel } = instance.broker;
    for (const { name } of EXCHANGES) await channel.checkExchange(name);
    for (const { name } of QUEUES) await channel.checkQueue(name);
  });

  it('makes the virtual host that REPRISE_VHOST names', async () => {
    const vhost = `test-${id}-made`;
    const url = new URL(instance.broker.url);
    url.pathname = '';
    try {
      const { code, out } = await record(['setup'], { ...instance.env, AMQP_URL: url.toString(), REPRISE_VHOST: vhost });
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ vhost });
    } finally {
      await instance.broker.api('DELETE', `vhosts/${vhost}`);
    }
  });

  it('makes an exchange anew that an older version made with another type, and binds the queues to it again', async () => {
    const older = await TestInstance.create();
    try {
      const { channel } = older.broker;
      const direct = new Set<string>([EXCHANGE.retry, EXCHANGE.dead]);
      for (const { name, type } of EXCHANGES) await channel.assertExchange(name, direct.has(name) ? 'direct' : type);
      for (const queue of QUEUES) await assertQueue(channel, queue, { names: EXCHANGE });
      const { code, err } = await record(['setup', 'broker'], older.env);
      expect([code, err]).toEqual([0, expect.not.stringContaining('reprise:')]);
      for (const { name, type } of EXCHANGES) await channel.assertExchange(name, type);
      await older.broker.publish(EXCHANGE.retry, QUEUE.billingCommands, '{}');
      await older.broker.take(QUEUE.billingCommands);
      await older.broker.publish(EXCHANGE.dead, QUEUE.billingCommands, '{}');
      await older.broker.take(deadQueueOf(QUEUE.billingCommands));
    } finally {
      await older.drop();
    }
  });

  it('bears company: four at once on one server all succeed', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => record(['setup'], instance.env)));
    expect(all.map(({ code, err }) => [code, err.includes('reprise:')])).toEqual(Array(4).fill([0, false]));
  });

  it.each(DATABASE_SERVICES)('gives %s a schema that it owns, sees by default, and shares with nobody', async (service) => {
    const url = instance.databaseUrlOf(service);
    const [row] = await sql(
      url,
      'CREATE TABLE mine (id int)',
      'INSERT INTO mine VALUES (1)',
      'SELECT current_schema, (SELECT id FROM mine) AS id',
    );
    expect(row).toEqual({ current_schema: service, id: 1 });
    for (const other of DATABASE_SERVICES.filter((name): name is DatabaseService => name !== service)) {
      await sql(instance.databaseUrlOf(other), 'CREATE TABLE IF NOT EXISTS secret (id int)');
      await expect(sql(url, `SELECT FROM ${other}.secret`)).rejects.toThrow(`permission denied for schema ${other}`);
      await expect(sql(url, `CREATE TABLE ${other}.intruder (id int)`)).rejects.toThrow('permission denied');
    }
    for (const beyond of ['CREATE TABLE public.stray (id int)', 'CREATE SCHEMA stray', `CREATE ROLE stray_${id}`]) {
      await expect(sql(url, beyond)).rejects.toThrow('permission denied');
    }
  });

  it('gives everything of a schema back to its service after a restore by an administrator', async () => {
    const restored = await TestInstance.create();
    try {
      await record(['setup', 'database'], restored.env);
      for (const service of DATABASE_SERVICES) {
        await sql(
          restored.database.url,
          `ALTER SCHEMA ${service} OWNER TO CURRENT_USER`,
          `CREATE TABLE ${service}.kept (id bigint GENERATED ALWAYS AS IDENTITY, seq serial)`,
          `CREATE VIEW ${service}.seen AS SELECT id FROM ${service}.kept`,
          `CREATE SEQUENCE ${service}.counter`,
          `CREATE FUNCTION ${service}.one(int) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
        );
        const before = sql(restored.databaseUrlOf(service), `INSERT INTO ${service}.kept DEFAULT VALUES`);
        await expect(before).rejects.toThrow('permission denied');
      }

      expect(await record(['setup', 'database'], restored.env)).toMatchObject({ code: 0 });

      const owners = `SELECT pg_get_userbyid(owner) AS owner, array_agg(name ORDER BY name) AS names FROM (
          SELECT nspowner AS owner, nspname::text AS name FROM pg_namespace WHERE nspname = current_schema()
          UNION ALL SELECT relowner, relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace
          UNION ALL SELECT proowner, proname::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace) AS all_of_it GROUP BY owner`;
      for (const service of DATABASE_SERVICES) {
        const names = ['counter', 'kept', 'kept_id_seq', 'kept_seq_seq', 'one', 'seen', service].sort();
        expect(await sql(restored.databaseUrlOf(service), owners)).toEqual([{ owner: `reprise_${service}`, names }]);
        await sql(restored.databaseUrlOf(service), 'INSERT INTO kept DEFAULT VALUES', `SELECT nextval('counter'), one(1) FROM seen`);
      }
    } finally {
      await restored.drop();
    }
  });

  it('lets services share what it has where it may make neither roles nor users', async () => {
    const shared = await TestInstance.create();
    const role = `shared_${id}`;
    try {
      await sql(
        shared.database.url,
        `CREATE ROLE ${role} LOGIN PASSWORD 'pw'`,
        `GRANT CREATE ON DATABASE ${shared.database.name} TO ${role}`,
      );
      const url = new URL(shared.database.url);
      url.username = role;
      url.password = 'pw';
      // Nothing needs a password here.
      const { code, out } = await record(['setup'], { AMQP_URL: shared.broker.url, DATABASE_URL: url.toString() });
      expect(code).toBe(0);
      expect(JSON.parse(out)).toEqual({ amqp: 'shared', database: 'shared', vhost: shared.broker.vhost });
      for (const service of DATABASE_SERVICES) await sql(url.toString(), `CREATE TABLE ${service}.mine (id int)`);
      for (const { name } of QUEUES) await shared.broker.channel.checkQueue(name);
    } finally {
      await shared.drop();
      await sql(instance.database.url, `DROP ROLE ${role}`);
    }
  });

  it.each([
    ['a password that is missing', { BILLING_AMQP_PASSWORD: '' }, 1, /BILLING_AMQP_PASSWORD .*reprise_billing/],
    ['a database that is not there', { DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/x' }, 3, /database cannot be reached/],
    [
      'a broker that is not there',
      { AMQP_URL: 'amqp://u:hidden@127.0.0.1:1/x', RABBITMQ_MANAGEMENT_URL: '' },
      3,
      /broker at 127.0.0.1:1 cannot be reached/,
    ],
    [
      'a management API that is not there',
      { RABBITMQ_MANAGEMENT_URL: 'http://u:hidden@127.0.0.1:1' },
      3,
      /management API .* cannot be reached/,
    ],
  ])('says in one line what is wrong: %s', async (_, wrong, exitCode, reason) => {
    const { code, out, err } = await record(['setup'], { ...instance.env, ...wrong });
    expect({ code, out }).toEqual({ code: exitCode, out: '' });
    const complaints = err.split('\n').filter((line) => line.startsWith('reprise:'));
    expect(complaints).toEqual([expect.stringMatching(reason)]);
    expect(err).not.toContain('hidden');
  });
});
