import type { RmqOptions } from '@nestjs/microservices';

/** What the two halves of an echo are told. */
export interface EchoSettings {
  readonly amqpUrl: string;
  readonly queue: string;
  readonly noDelay: boolean;
  /** Whether each question is acknowledged by whoever answers it, as it must be where none may be lost. */
  readonly acknowledging: boolean;
}

export function settingsOf({ ECHO }: NodeJS.ProcessEnv): EchoSettings {
  if (!ECHO) throw new Error('ECHO is not set');
  return JSON.parse(ECHO) as EchoSettings;
}

/** Nest's own transport as it comes: nothing persistent, nothing acknowledged, no limit to what is in hand. Only Nagle's algorithm is turned off, or not. */
export function transportOf({ amqpUrl, queue, noDelay }: EchoSettings): NonNullable<RmqOptions['options']> {
  return {
    urls: [amqpUrl],
    queue,
    queueOptions: { durable: true, autoDelete: true }, // RabbitMQ 4.3 refuses it otherwise; its messages are not persistent
    ...(noDelay ? { socketOptions: { connectionOptions: { noDelay: true } } } : {}),
  };
}
