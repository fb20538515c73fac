import { Command } from 'commander';
import { setUpBroker } from '../broker/set-up-broker';
import { setUpDatabase } from '../database/roles';
import { environmentOf } from '../environment';
import { answer, type Terminal } from '../terminal';

/** `reprise setup`: everything that must be there before the services start. What it prints tells who starts them how they connect. */
export function setupVerb(terminal: Terminal): Command {
  return new Command('setup')
    .description('Make database roles and schemas, broker users, exchanges and queues. Can be repeated at any time.')
    .option('--json', 'the answer is JSON in any case')
    .action(async (_, command: Command) => {
      const environment = environmentOf(terminal, command.optsWithGlobals<{ envFile?: string }>().envFile);
      const tell = (progress: string): void => terminal.err(`${progress}\n`);
      const databaseUrl = environment.need('DATABASE_URL', 'the database');
      tell('database: a role and a schema for each service');
      const [database, { amqp, vhost }] = await bothOf(
        setUpDatabase(databaseUrl, (service) =>
          environment.need(`${service.toUpperCase()}_DB_PASSWORD`, `the password of the database role reprise_${service}`),
        ),
        setUpBroker(environment, tell),
      );
      answer(terminal, true, { amqp, database, vhost }, []);
    });
}

/** Both at once, and both to their end: what fails first does not leave the other working behind the command's back. */
async function bothOf<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}
