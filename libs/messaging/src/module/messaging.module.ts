import { type DynamicModule, type FactoryProvider, Module, type ModuleMetadata, type Provider } from '@nestjs/common';
import { MESSAGING_OPTIONS, type MessagingModuleAsyncOptions, type MessagingModuleOptions, type MessagingStore } from './options';
import { coreProviders } from './providers';

/**
 * The one way to consume, publish, ask and answer. A service module:
 *
 * ```ts
 * @Module({
 *   imports: [
 *     databaseModule({ …, schema: 'billing', migrations: [messagingMigration('billing'), …] }),
 *     MessagingModule.forRootAsync({
 *       store: storeIn('billing'), // outbox and inbox are there (@reprise/messaging/store); leave it out for a service without a database
 *       inject: [BillingConfig],
 *       useFactory: (config: BillingConfig) => ({
 *         url: config.amqpUrl,
 *         source: 'billing',
 *         topology: { exchanges: EXCHANGES, queues: queuesOf('billing') },
 *         names: { retry: EXCHANGE.retry, dead: EXCHANGE.dead },
 *         catalog: catalogOf(MESSAGES, EXCHANGE_OF),
 *         consumers: [{ queue: QUEUE.billingCommands, prefetch: 50 }, { queue: QUEUE.billingQueries }],
 *       }),
 *     }),
 *     HealthModule.forRootAsync({ inject: [BrokerIndicator], useFactory: (broker: BrokerIndicator) => [broker] }),
 *   ],
 *   controllers: [TenantsController],
 * })
 * export class BillingModule {}
 *
 * @Controller()
 * export class TenantsController {
 *   constructor(private readonly dataSource: DataSource, private readonly inbox: Inbox, private readonly outbox: Outbox) {}
 *
 *   // `@Payload()` and `@Ctx()` are needed: without them Nest passes the data alone.
 *   @MessagePattern(SetTenantPosture.type)
 *   set(@Payload() command: SetTenantPosture, @Ctx() context: MessageContext): Promise<TenantView> {
 *     return this.inbox.once(this.dataSource, context, async (manager) => {
 *       …                                                        // throw new RefusedError(refusal('…')) to refuse
 *       await this.outbox.append(manager, [                      // published as soon as the transaction has committed
 *         { type: TenantPostureChanged.type, data: { … }, orgId: command.org_id, correlationId: context.correlationId },
 *       ]);
 *       return view;                                             // the reply, now and whenever the same message comes again
 *     });
 *   }
 * }
 *
 * startService({ …, module: BillingModule, strategy: (app) => app.get(AmqpServer) });
 * ```
 *
 * A service that asks injects `Requester`; one that needs to hear events at the moment, `EventsListener`. The module is global.
 */
@Module({})
export class MessagingModule {
  static forRoot({ store, ...options }: MessagingModuleOptions): DynamicModule {
    return moduleWith({ provide: MESSAGING_OPTIONS, useValue: options }, store);
  }

  static forRootAsync({ store, inject = [], useFactory, imports }: MessagingModuleAsyncOptions): DynamicModule {
    const options: FactoryProvider = { provide: MESSAGING_OPTIONS, inject, useFactory };
    return moduleWith(options, store, imports);
  }
}

function moduleWith(options: Provider, store: MessagingStore | undefined, imports: ModuleMetadata['imports'] = []): DynamicModule {
  const providers = [...coreProviders(store), ...(store?.providers ?? [])];
  return { module: MessagingModule, global: true, imports, providers: [options, ...providers], exports: providers };
}
