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
import type { OutageGate } from './outage-gate';
import { DeadLetter, type Outcome, outcomeOf } from './outcome';
import type { Delivery } from './queue-consumer';
import type { Replier } from './replier';
import { checkSender, type SenderPolicy } from './sender-check';
import type { Settler } from './settler';

export interface DeliveryHandlerOptions {
  handlers: ReadonlyMap<string, MessageHandler>;
  catalog: Catalog;
  gate: OutageGate;
  trusted: TrustedUsers;
  /** Without it messages are taken from anyone. */
  senderPolicy: SenderPolicy | undefined;
  /** The types that each queue is there for, where no pattern says so. */
  typesOf: ReadonlyMap<string, ReadonlySet<string> | undefined>;
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
    const { trusted, senderPolicy } = this.options;
    const context = new MessageContext(delivery.message, delivery.queue.name, trusted, senderPolicy?.mayReplyTo);
    if (context.refusedReplyTo !== undefined)
      this.logger.warn(
        `No reply to ${context.type} ${context.id}: ${context.userId ?? 'nobody'} may not have it in ${context.refusedReplyTo}`,
      );
    const { correlationId: requestId, traceparent, orgId, subject: workspaceId } = context;
    return this.options.metrics.observe(context, () =>
      runWith({ requestId, traceparent, orgId, workspaceId }, () =>
        inProcessSpan(context, () => (delivery.queue.kind === 'query' ? this.answer(delivery, context) : this.work(delivery, context))),
      ),
    );
  }

  /** A message of a work queue: every end is settled with the broker. */
  private async work(delivery: Delivery, context: MessageContext): Promise<void> {
    const { gate } = this.options;
    const outages = gate.newCount();
    for (;;) {
      if (gate.outage) await gate.opened(delivery.letGo);
      if (delivery.letGo.aborted) return delivery.requeue();
      let outcome: Outcome;
      try {
        outcome = { end: 'done', value: await this.invoke(delivery, context) };
      } catch (error) {
        if (gate.caused(error) && !outages.isExhausted) {
          outages.met(error, await gate.wait(error, delivery.letGo));
          await outages.pause(delivery.letGo);
          if (!delivery.live()) return delivery.requeue();
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
      case 'wait':
        metrics.ended(context, 'failed', 'unavailable');
        return replier.reply(context, UNANSWERABLE);
      case 'retry':
        metrics.ended(context, 'failed', 'unavailable');
        if (!outcome.expected && !this.options.gate.caused(outcome.error))
          this.logger.error({ err: outcome.error }, `The query ${context.type} ${context.id} failed`);
        // What failed inside is in the log; the asker learns only that it may ask again.
        return replier.reply(context, UNANSWERABLE);
    }
  }

  /** @throws DeadLetter for a message that no handler may see, and whatever the handler throws */
  private async invoke({ message }: Delivery, context: MessageContext): Promise<unknown> {
    const { type } = context;
    checkEnvelope(context);
    const handler = this.options.handlers.get(type);
    const spec = this.options.catalog.get(type);
    if (!handler || !spec) throw new DeadLetter('no_handler', `Nothing handles ${type} from ${context.queue}`);
    const { names, typesOf, senderPolicy } = this.options;
    checkRoute(spec, { fields: message.fields, context, types: typesOf.get(context.queue), names });
    checkSender(context, spec, senderPolicy);
    const result: unknown = await handler(decode(message.content, spec), context);
    return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
  }
}

const UNANSWERABLE = { status: 'failed', reason: 'unavailable', message: 'The query could not be answered' } as const;
