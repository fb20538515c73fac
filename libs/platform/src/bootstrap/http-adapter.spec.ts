import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { addToContext, currentContext } from '../context/context';
import { createLogger } from '../logging/logger';
import { httpAdapter } from './http-adapter';

@Controller()
class EchoController {
  @Post('echo')
  echo(@Body() body: unknown) {
    addToContext({ operationId: 'op1', subject: 'alice' });
    return { body, context: currentContext() };
  }

  @Get('health/live')
  live() {
    return {};
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the HTTP adapter', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const records = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  let app: NestFastifyApplication;
  let url: string;

  beforeAll(async () => {
    const logger = createLogger({ name: 'echo', level: 'debug', format: 'json', destination });
    app = await NestFactory.create<NestFastifyApplication>(EchoModule, httpAdapter(logger, { bodyLimit: 100 }), { logger: false });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app.close());
  beforeEach(() => lines.splice(0));

  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/echo?token=hidden`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

  async function lineLogged(): Promise<Record<string, unknown>> {
    // The line is written once the answer is out, which the client may see first.
    for (let i = 0; i < 200 && lines.length === 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    return records()[0] ?? {};
  }

  it('carries the request id and the trace through the reading of the body to the handler and the log', async () => {
    const answer = await post('{"a":1}', { 'x-request-id': 'mine-1', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
    expect(answer.headers.get('x-request-id')).toBe('mine-1');
    const seen = (await answer.json()) as { body: unknown; context: Record<string, string> };
    expect(seen).toMatchObject({ body: { a: 1 }, context: { requestId: 'mine-1', traceId: TRACE } });
    expect(seen.context.traceparent).not.toContain('00f067aa0ba902b7');
    const line = await lineLogged();
    expect(line).toMatchObject({ level: 'info', msg: 'request', method: 'POST', path: '/echo', status: 201 });
    expect(line).toMatchObject({ request_id: 'mine-1', trace_id: TRACE, operation_id: 'op1' });
    expect(line).toMatchObject({ client_address: '127.0.0.1', subject: 'alice' });
    expect(lines.join('')).not.toContain('hidden');
  });

  it.each(['', 'a b', 'x'.repeat(129), '<script>'])('gives an id of its own to a request whose id is "%s"', async (id) => {
    const answer = await post('{}', { 'x-request-id': id });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('names the request in the answer to what has no route, cannot be read, or is too large', async () => {
    const answers = [await fetch(`${url}/nowhere`), await post('{broken'), await post(JSON.stringify('x'.repeat(200)))];
    expect(answers.map(({ status }) => status)).toEqual([404, 400, 413]);
    for (const answer of answers) expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('logs the questions of an orchestrator at debug', async () => {
    await fetch(`${url}/health/live`);
    expect(await lineLogged()).toMatchObject({ level: 'debug', path: '/health/live' });
  });
});
