import { Argument, Command } from 'commander';
import { setUpBroker } from '../broker/set-up-broker';
import { databaseAddress } from '../database/client';
import { passwordsOf, setUpDatabase } from '../database/roles';
import { type Environment, environmentOf } from '../environment';
import { answer, type Terminal } from '../terminal';

/** `reprise setup`: everything that must be there before the services start. What it prints tells who starts them how they connect. */
export function setupVerb(terminal: Terminal): Command {
  return new Command('setup')
    .description('Make database roles and schemas, broker users, exchanges and queues. Can be repeated at any time.')
    .addArgument(new Argument('[part]', 'only this part of it').choices(['database', 'broker']))
    .option('--json', 'the answer is JSON in any case')
    .action(async (part: 'database' | 'broker' | undefined, _, command: Command) => {
      const environment = environmentOf(terminal, command.optsWithGlobals<{ envFile?: string }>().envFile);
      const tell = (progress: string): void => terminal.err(`${progress}\n`);
      const [database, broker] = await bothOf(
        part === 'broker' ? NOTHING : databasePart(environment, tell),
        part === 'database' ? NOTHING : brokerPart(environment, tell),
      );
      answer(terminal, true, { ...database, ...broker }, []);
    });
}

/** What a part that was not asked for says. */
const NOTHING: Promise<object> = Promise.resolve({});

async function databasePart(environment: Environment, tell: (progress: string) => void): Promise<{ database: string }> {
  const address = databaseAddress(environment);
  tell('database: a role and a schema for each service');
  return { database: await setUpDatabase(address, passwordsOf(environment)) };
}

/** The address holds a password: it is not told. */
async function brokerPart(environment: Environment, tell: (progress: string) => void): Promise<{ amqp: string; vhost: string }> {
  const { amqp, vhost } = await setUpBroker(environment, tell);
  return { amqp, vhost };
}

/** Both at once, and both to their end: what fails first does not leave the other working behind the command's back. */
async function bothOf<A, B>(...both: [A | Promise<A>, B | Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(both);
  return Promise.all(both);
}
