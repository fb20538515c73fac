import { QUEUES } from '@reprise/contracts';
import { type BrokerAddress } from '../broker/address';
import { type DatabaseAddress, withDatabase } from '../database/client';
import { DATABASE_SERVICES } from '../database/roles';
import { Failure } from '../failure';
import { queueStatuses } from '../status/queues';

/** Nobody may work on what is replaced. @throws Failure naming who is connected */
export async function mustBeStopped(database: DatabaseAddress, broker: BrokerAddress): Promise<void> {
  const users = [...(await sessions(database)), ...(await consumers(broker))];
  if (users.length > 0)
    throw new Failure(`services are running: ${users.join(', ')}; stop all services of Reprise, on every machine, first`);
}

/** By role, and where services share one, by the names that they give themselves. */
async function sessions(address: DatabaseAddress): Promise<string[]> {
  const { rows } = await withDatabase(address, (client) =>
    client.query<{ who: string; count: string }>(
      `SELECT coalesce(nullif(application_name, ''), usename) AS who, count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND (usename = ANY ($1) OR application_name = ANY ($2))
        GROUP BY 1 ORDER BY 1`,
      [DATABASE_SERVICES.map((name) => `reprise_${name}`), DATABASE_SERVICES.flatMap((name) => [name, `${name}-migrate`])],
    ),
  );
  return rows.map(({ who, count }) => `${who} has ${count} ${count === '1' ? 'session' : 'sessions'} of the database`);
}

async function consumers(address: BrokerAddress): Promise<string[]> {
  const queues = await queueStatuses(address).catch((error: unknown) => {
    // A broker that was made anew: nobody can be at work on it.
    if (error instanceof Failure && error.message.includes('has no virtual host')) return [];
    throw error;
  });
  const consumed = queues.filter((queue) => queue.consumers > 0);
  const services = new Set(QUEUES.filter(({ name }) => consumed.some((queue) => queue.name === name)).map(({ service }) => service));
  return [...services].map((service) => `${service} takes messages from the broker`);
}
