import fastifyStatic from '@fastify/static';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { CONTROLLERS, VERSION } from './api';
import { GatewayConfig } from '../gateway.config';
import { describeApi } from './describe-api';

/** `/docs` for people and `/openapi.json` for programs; neither needs a token. The page forgets a token when it is left. */
export function serveDocs(app: NestFastifyApplication): void {
  if (!app.get(GatewayConfig, { strict: false }).serveDocs) return;
  const adapter = app.getHttpAdapter() as unknown as FastifyAdapter;
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  // Nest looks for @fastify/static from its own folder, where npm need not have put what is a dependency of this service.
  adapter.useStaticAssets = (options) => fastify.register(fastifyStatic, options);
  SwaggerModule.setup('docs', app, describeApi(CONTROLLERS, VERSION), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Reprise API',
    swaggerOptions: { displayRequestDuration: true },
  });
}
