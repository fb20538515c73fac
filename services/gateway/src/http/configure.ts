import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Metrics } from '@reprise/platform';
import { AccessHook } from '../auth/access.hook';
import { serveDocs } from '../docs/serve-docs';
import { ErrorFilter } from '../errors/error.filter';
import { InputPipe } from '../input/input.pipe';
import { API_ERRORS } from '../metrics/gateway.metrics';
import { frontDoor } from './front-door';
import { readJsonBodies } from './json-body';
import { addSecurityHeaders } from './security-headers';

/** Makes the gateway of a Nest application, before it is initialised. */
export function configure(app: NestFastifyApplication): void {
  frontDoor(app.getHttpServer());
  addSecurityHeaders(app);
  readJsonBodies(app);
  app.get(AccessHook, { strict: false }).attach(app.getHttpAdapter().getInstance());
  app.useGlobalPipes(new InputPipe());
  app.useGlobalFilters(new ErrorFilter(app.get(Metrics, { strict: false }).counter(API_ERRORS)));
  serveDocs(app);
}
