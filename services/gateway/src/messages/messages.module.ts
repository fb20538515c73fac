import { Module } from '@nestjs/common';
import { EXCHANGE, EXCHANGE_OF, EXCHANGES, MESSAGES, queuesOf } from '@reprise/contracts';
import { catalogOf, MessagingModule } from '@reprise/messaging';
import { GatewayConfig } from '../gateway.config';
import { RoundTrip } from './round-trip';

@Module({
  imports: [
    MessagingModule.forRootAsync({
      inject: [GatewayConfig],
      useFactory: ({ amqpUrl, amqpCaFile }: GatewayConfig) => ({
        url: amqpUrl,
        caFile: amqpCaFile,
        source: 'gateway',
        topology: { exchanges: EXCHANGES, queues: queuesOf('gateway') },
        names: EXCHANGE,
        catalog: catalogOf(MESSAGES, EXCHANGE_OF),
      }),
    }),
  ],
  providers: [RoundTrip],
  exports: [RoundTrip],
})
export class MessagesModule {}
