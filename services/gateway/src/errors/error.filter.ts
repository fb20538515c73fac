import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { Counter } from '@reprise/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ApiError, apiError } from './api-error';
import { errorBody } from './error-body';
import { SparseLog } from './sparse-log';
import { toApiError } from './to-api-error';

/** The line of each request stands in the log anyway, with its status. */
const WARN_EVERY_MS = 1_000;

/** Puts every error, from every layer that Nest and Fastify have, into the one body. A crash is logged whole and answered with nothing of it. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');
  private readonly warnings = new SparseLog(WARN_EVERY_MS);

  constructor(private readonly errors: Counter<'code'>) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const known = toApiError(thrown);
    if (!known) this.logger.error({ err: thrown }, 'an unexpected error');
    else if (known.status >= 500) this.warn(known);
    // The caller has gone, or has an answer already: there is nobody to tell.
    if (reply.sent) return;
    const error = known ?? apiError('internal_error');
    this.errors.inc({ code: error.refusal.code });
    // Fastify closes the connection when it stops reading a body; then a caller still sending may never see the answer. Node reads the rest.
    reply.removeHeader('connection');
    void reply
      .status(error.status)
      .headers(error.headers)
      .type('application/json; charset=utf-8')
      .send(errorBody(error.refusal, request.id));
  }

  private warn(known: ApiError): void {
    const held = this.warnings.admit(known.refusal.code);
    if (held !== null) this.logger.warn({ err: known.cause ?? known, ...(held > 0 ? { not_logged: held } : {}) }, known.message);
  }
}
