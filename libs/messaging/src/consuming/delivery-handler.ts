import { isObservable, lastValueFrom } from 'rxjs';
import { Logger } from '@nestjs/common';
import type { MessageHandler } from '@nestjs/microservices';
import { type Clock, runWith } from '@reprise/platform';
import type { MessagingMetrics } from '../metrics/messaging-metrics';
import type { Catalog } from '../topology/catalog';
import type { TopologyNames } from '../topology/topology';
import { inProcessSpan, tellOutcome } from '../tracing/process-span';
import { decode } from './decode';
import { checkEnvelope, checkRoute } from './envelope-check';
import { MessageContext, type TrustedUsers } from './message-context';
import { MAX_OUTAGES_PER_DELIVERY, type OutageGate } from './outage-gate';
import { DeadLetter, type Outcome, outcomeOf } from './outcome';
import type { Delivery } from './queue-consumer';
import type { Replier } from './replier';
import type { Settler } from './settler';

export interface DeliveryHandlerOptions {
  handlers: ReadonlyMap<string, MessageHandler>;
  catalog: Catalog;
  gate: OutageGate;
  trusted: TrustedUsers;
  names: TopologyNames;
  settler: Settler;
  replier: Replier;
  metrics: MessagingMetrics;
  clock: Clock;
}

/** Brings one delivery to its handler, within the context that the logger writes on every line, and to its end. */
export class DeliveryHandler {
  private readonly logger = new Logger(DeliveryHandler.name);

  constructor(private readonly options: DeliveryHandlerOptions) {}

  handle(delivery: Delivery): Promise<void> {
    const context = new MessageContext(delivery.message, delivery.queue.name, this.options.trusted);
    const { correlationId: requestId, traceparent, orgId, subject: workspaceId } = context;
    return this.options.metrics.observe(context, () =>
      runWith({ requestId, traceparent, orgId, workspaceId }, () =>
        inProcessSpan(context, () => (delivery.queue.kind === 'query' ? this.answer(delivery, context) : this.work(delivery, context))),
      ),
    );
  }

  /** A message of a work queue: every end is settled with the broker. */
  private async work(delivery: Delivery, context: MessageContext): Promise<void> {
    for (let outages = 0; ; outages++) {
      let outcome: Outcome;
      try {
        outcome = { end: 'done', value: await this.invoke(delivery, context) };
      } catch (error) {
        if (this.options.gate.caused(error) && outages < MAX_OUTAGES_PER_DELIVERY) {
          await this.options.gate.wait(error, delivery.draining);
          if (delivery.draining.aborted || !delivery.live()) return delivery.requeue();
          continue;
        }
        outcome = outcomeOf(error);
      }
      tellOutcome(outcome);
      return this.options.settler.settle(delivery, context, outcome);
    }
  }

  /** A query: not acknowledged and never repeated here; whatever happens is told to the asker, who may ask again. */
  private async answer(delivery: Delivery, context: MessageContext): Promise<void> {
    const outcome = await this.invoke(delivery, context).then((value): Outcome => ({ end: 'done', value }), outcomeOf);
    tellOutcome(outcome);
    const { replier, metrics } = this.options;
    switch (outcome.end) {
      case 'done':
        metrics.ended(context, 'done');
        return replier.reply(context, { status: 'done', value: outcome.value });
      case 'refused':
        metrics.ended(context, 'refused', outcome.refusal.code);
        return replier.reply(context, { status: 'refused', refusal: outcome.refusal });
      case 'dead':
        metrics.ended(context, 'failed', outcome.reason);
        return replier.reply(context, { status: 'failed', reason: outcome.reason, message: outcome.error.message });
      case 'retry':
        metrics.ended(context, 'failed', 'unavailable');
        if (!outcome.expected && !this.options.gate.caused(outcome.error))
          this.logger.error({ err: outcome.error }, `The query ${context.type} ${context.id} failed`);
        // What failed inside is in the log; the asker learns only that it may ask again.
        return replier.reply(context, { status: 'failed', reason: 'unavailable', message: 'The query could not be answered' });
    }
  }

  /** @throws DeadLetter for a message that no handler may see, and whatever the handler throws */
  private async invoke({ message }: Delivery, context: MessageContext): Promise<unknown> {
    const { type } = context;
    checkEnvelope(context);
    const handler = this.options.handlers.get(type);
    const spec = this.options.catalog.get(type);
    if (!handler || !spec) throw new DeadLetter('no_handler', `Nothing handles ${type} from ${context.queue}`);
    checkRoute(message.fields, spec, this.options.names);
    const result: unknown = await handler(decode(message.content, spec), context);
    return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
  }
}
