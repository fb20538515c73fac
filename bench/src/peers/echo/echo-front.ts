import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Controller, Get, HttpCode, Inject, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientProxy, ClientsModule, Transport } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { firstValueFrom } from 'rxjs';
import { settingsOf, transportOf } from './transport';

const ECHO = Symbol('echo');

/** The routes that are measured of the gateway, so that both get the same requests to the byte. */
@Controller('v1/workspaces')
class EchoController {
  constructor(@Inject(ECHO) private readonly client: ClientProxy) {}

  @Post(':workspace_id/restart')
  @HttpCode(202)
  restart(@Param('workspace_id') workspace_id: string): Promise<unknown> {
    return this.ask({ workspace_id, force: false });
  }

  @Get(':workspace_id')
  get(@Param('workspace_id') workspace_id: string): Promise<unknown> {
    return this.ask({ workspace_id });
  }

  private ask(data: object): Promise<unknown> {
    return firstValueFrom(this.client.send<unknown>('echo', data));
  }
}

@Module({
  imports: [ClientsModule.register([{ name: ECHO, transport: Transport.RMQ, options: transportOf(settingsOf(process.env)) }])],
  controllers: [EchoController],
})
class EchoFront {}

/** The half of the echo before the broker: HTTP in, one question, its answer out. No authentication, no rules, no log. */
async function main(): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(EchoFront, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  process.on('disconnect', () => process.exit());
  process.send?.((app.getHttpServer().address() as AddressInfo).port);
}

void main();
