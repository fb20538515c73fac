import { Injectable } from '@nestjs/common';
import type { HealthIndicator } from '@reprise/platform';
import { AmqpConnection } from '../connection/amqp-connection';
import { AmqpServer } from '../consuming/amqp-server';

/** Readiness: the broker is connected and takes what is published, and every queue of this service is consumed. */
@Injectable()
export class BrokerIndicator implements HealthIndicator {
  readonly name = 'broker';

  constructor(
    private readonly connection: AmqpConnection,
    private readonly server: AmqpServer,
  ) {}

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous, this answer is not
  async check(): Promise<void> {
    if (!this.connection.isReady()) throw new Error(`The connection to the broker is ${this.connection.state}`);
    if (!this.server.isConsuming()) throw new Error('Not every queue is being consumed');
  }
}
