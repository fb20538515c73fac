import { Controller, Get, Header, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readiness, type ReadinessReport } from './readiness';

/** The two routes that an orchestrator asks. They need no token; a global guard can tell them by this class. */
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** Answers as long as the process can answer at all: it depends on nothing, so that a lost database kills nobody. */
  @Get('live')
  @Header('cache-control', 'no-store')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 when this process should get work, else 503 with what stands against it. */
  @Get('ready')
  @Header('cache-control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessReport['body']> {
    const { ready, body } = await this.readiness.report();
    // Set on the reply rather than thrown, so that no service's exception filter puts another body around it.
    reply.status(ready ? 200 : 503);
    return body;
  }
}
