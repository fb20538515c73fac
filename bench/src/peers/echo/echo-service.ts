import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, MessagePattern, Payload, RmqContext, Transport } from '@nestjs/microservices';
import type { Channel, Message } from 'amqplib';
import { settingsOf, transportOf } from './transport';

const settings = settingsOf(process.env);

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(@Payload() data: unknown, @Ctx() context: RmqContext): unknown {
    // In the handler, as Nest's documentation has it.
    if (settings.acknowledging) (context.getChannelRef() as Channel).ack(context.getMessage() as Message);
    return data;
  }
}

@Module({ controllers: [EchoController] })
class EchoService {}

/** The half of the echo behind the broker: answers what it was asked. */
async function main(): Promise<void> {
  const options = { ...transportOf(settings), noAck: !settings.acknowledging };
  const app = await NestFactory.createMicroservice(EchoService, { transport: Transport.RMQ, options, logger: false });
  await app.listen();
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

void main();
