import { BROKER_USERS } from '@reprise/contracts';
import { TestBroker, TestDatabase } from '../../../libs/messaging/test/support';
import { passwordVariable } from '../../src/broker/definitions';
import { DATABASE_SERVICES, type DatabaseService } from '../../src/database/roles';

/** Users and roles belong to the whole server: every set-up that meets on it in a test run must give them the same passwords. */
const passwordOf = (variable: string): string => process.env[variable] ?? 'for-tests-only';

/** A virtual host and a database of a test's own, and the settings with which the command reaches them. */
export class TestInstance {
  private constructor(
    readonly broker: TestBroker,
    readonly database: TestDatabase,
  ) {}

  static async create(): Promise<TestInstance> {
    const [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
    return new TestInstance(broker, database);
  }

  get env(): NodeJS.ProcessEnv {
    const variables = [
      ...BROKER_USERS.map(({ name }) => passwordVariable(name)),
      ...DATABASE_SERVICES.map((name) => `${name.toUpperCase()}_DB_PASSWORD`),
    ];
    return {
      AMQP_URL: this.broker.url,
      DATABASE_URL: this.database.url,
      RABBITMQ_MANAGEMENT_URL: process.env.TEST_RABBITMQ_MANAGEMENT_URL,
      ...Object.fromEntries(variables.map((name) => [name, passwordOf(name)])),
    };
  }

  /** Where a broker user of the contracts connects. */
  amqpUrlOf(user: string): string {
    return withLogin(this.broker.url, user, passwordOf(passwordVariable(user)));
  }

  /** Where a service connects to its database. */
  databaseUrlOf(service: DatabaseService): string {
    return withLogin(this.database.url, `reprise_${service}`, passwordOf(`${service.toUpperCase()}_DB_PASSWORD`));
  }

  async drop(): Promise<void> {
    await Promise.all([this.broker.drop(), this.database.drop()]);
  }
}

function withLogin(text: string, user: string, password: string): string {
  const url = new URL(text);
  url.username = user;
  url.password = password;
  return url.toString();
}
