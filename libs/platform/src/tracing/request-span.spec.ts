import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { Controller, Get, Module, Param, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { httpAdapter } from '../bootstrap/http-adapter';
import { addToContext, currentContext } from '../context/context';
import { createLogger } from '../logging/logger';
import { type Recording, recordSpans } from './testing/recording';

@Controller()
class ThingsController {
  @Get('things/:id')
  thing(@Param('id') id: string, @Query('fail') fail?: string) {
    addToContext({ orgId: 'acme' });
    if (fail) throw new Error('hidden');
    return { id, ...currentContext() };
  }

  @Get('health/live')
  live() {
    return currentContext();
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the span of a request', () => {
  const lines: string[] = [];
  let app: NestFastifyApplication;
  let url: string;
  let recording: Recording;

  beforeAll(async () => {
    const logger = createLogger({ name: 'things', level: 'info', format: 'json', destination: { write: (line) => void lines.push(line) } });
    app = await NestFactory.create<NestFastifyApplication>(ThingsModule, httpAdapter(logger), { logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    lines.length = 0;
    recording = await recordSpans();
  });
  afterEach(() => recording.stop());

  async function get(path: string, headers: Record<string, string> = {}) {
    const answer = await fetch(`${url}${path}`, { headers });
    // It ends with the connection's word that the answer is out, which the client may have before.
    for (let i = 0; i < 200 && recording.spans.length === 0 && !path.startsWith('/health'); i += 1)
      await new Promise((go) => setTimeout(go, 5));
    return { body: (await answer.json()) as Record<string, string>, span: recording.spans[0] };
  }

  it('has the name of the route, not of the thing, and says what the log says', async () => {
    const { body, span } = await get('/things/42?token=hidden', { 'x-request-id': 'r1' });
    expect(span).toMatchObject({ name: 'GET /things/:id', kind: SpanKind.SERVER, status: { code: SpanStatusCode.UNSET } });
    expect(span?.attributes).toEqual({
      ...{ 'http.request.method': 'GET', 'http.route': '/things/:id', 'url.path': '/things/42', 'url.scheme': 'http' },
      ...{ 'http.response.status_code': 200, 'reprise.org.id': 'acme', 'reprise.request.id': 'r1' },
    });
    const { traceId } = span!.spanContext();
    expect(body).toMatchObject({ id: '42', traceId });
    expect(JSON.parse(lines[0]!)).toMatchObject({ msg: 'request', trace_id: traceId, org_id: 'acme' });
  });

  it("is part of the caller's trace", async () => {
    const { body, span } = await get('/things/42', { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
    expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: '00f067aa0ba902b7' });
    expect(body.traceparent).toBe(`00-${TRACE}-${span!.spanContext().spanId}-01`);
  });

  it('fails with the service, not with the caller', async () => {
    expect((await get('/things/42?fail=1')).span).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': '500' },
    });
  });

  it('of no route says nothing of the path, which may hold anything', async () => {
    const { span } = await get('/nothing/secret');
    expect(span).toMatchObject({ name: 'GET', status: { code: SpanStatusCode.UNSET } });
    expect(span?.attributes).toMatchObject({ 'http.response.status_code': 404 });
    expect(JSON.stringify(span?.attributes)).not.toContain('secret');
  });

  it('is not made for those who ask whether the service is well', async () => {
    expect((await get('/health/live')).body.traceparent).toMatch(/^00-/);
    expect(recording.spans).toEqual([]);
  });
});
