/** A command asks and may be refused; a query asks and changes nothing; an event tells a fact. */
export type MessageKind = 'command' | 'query' | 'event';

/** One type of message: where it goes, and the class whose class-validator rules its data must pass. */
export interface MessageSpec {
  type: string;
  kind: MessageKind;
  exchange: string;
  routingKey: string;
  data: new () => object;
  /** Whether the message must reach a queue; default true. False for an event that nobody needs to listen to. */
  mandatory?: boolean;
  /** Of a command: whether its handler refuses one without a sender, and tells so by an event where no reply is wanted; default false. */
  tellsRefusal?: boolean;
}

/** Every message that a service sends or handles, by type. */
export type Catalog = ReadonlyMap<string, MessageSpec>;

/** A class that names its own type and kind in statics, as the contract library's do. */
export interface SelfDescribingMessage {
  readonly type: string;
  readonly kind: MessageKind;
  /** The service that handles it; null for an event that is told to whoever listens, which may be nobody. */
  readonly consumer?: string | null;
  readonly tellsRefusal?: boolean;
  new (): object;
}

/** The catalogue of classes that describe themselves: the routing key is the type, the exchange is that of the kind. */
export function catalogOf(messages: Iterable<SelfDescribingMessage>, exchanges: Record<MessageKind, string>): Catalog {
  const specs = Array.from(messages, (message): [string, MessageSpec] => [
    message.type,
    {
      type: message.type,
      kind: message.kind,
      exchange: exchanges[message.kind],
      routingKey: message.type,
      data: message,
      mandatory: message.consumer !== null,
      tellsRefusal: message.tellsRefusal === true,
    },
  ]);
  return new Map(specs);
}
