import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { AmqpConnection } from '../connection/amqp-connection';
import { AmqpServer } from '../consuming/amqp-server';
import { InboxJanitor } from '../consuming/inbox-janitor';
import { OutboxRelay } from '../publishing/outbox-relay';
import { Requester } from '../requesting/requester';
import { MESSAGING_OPTIONS, type MessagingOptions } from './options';

/**
 * Starts and ends it all in order. At the end: no more messages are taken and those in hand are finished, then the outbox is emptied (Nest's
 * `beforeApplicationShutdown`, while HTTP and the database still work); requests and the connection end last (`onApplicationShutdown`), since
 * an HTTP request in hand may still be waiting for its answer.
 */
@Injectable()
export class MessagingLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('Messaging');

  constructor(
    @Inject(MESSAGING_OPTIONS) private readonly options: MessagingOptions,
    private readonly connection: AmqpConnection,
    private readonly server: AmqpServer,
    private readonly requester: Requester,
    @Optional() @Inject(OutboxRelay) private readonly relay?: OutboxRelay,
    @Optional() @Inject(InboxJanitor) private readonly janitor?: InboxJanitor,
  ) {}

  onApplicationBootstrap(): void {
    if (this.options.senderPolicy?.senders === null) {
      this.logger.warn('All services share one login of the broker (AMQP_USERS=shared): who sent a message is not checked');
    }
    this.connection.start();
    this.relay?.start();
    this.janitor?.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.janitor?.stop();
    await this.server.close();
    await this.relay?.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    this.requester.close();
    await this.connection.close();
  }
}
