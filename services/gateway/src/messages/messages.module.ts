import { Module } from '@nestjs/common';
import { EXCHANGE, EXCHANGE_OF, EXCHANGES, MESSAGES, queuesOf, senderPolicy } from '@reprise/contracts';
import { catalogOf, MessagingModule } from '@reprise/messaging';
import { GatewayConfig } from '../gateway.config';
import { RoundTrip } from './round-trip';

@Module({
  imports: [
    MessagingModule.forRootAsync({
      inject: [GatewayConfig],
      useFactory: (config: GatewayConfig) => ({
        url: config.amqpUrl,
        caFile: config.amqpCaFile,
        source: 'gateway',
        topology: { exchanges: EXCHANGES, queues: queuesOf('gateway') },
        names: EXCHANGE,
        senderPolicy: senderPolicy('gateway', config),
        catalog: catalogOf(MESSAGES, EXCHANGE_OF),
      }),
    }),
  ],
  providers: [RoundTrip],
  exports: [RoundTrip],
})
export class MessagesModule {}
