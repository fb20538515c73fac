import { addToContext, runWith } from '../context/context';
import { createLogger, type LoggerOptions } from './logger';
import { ServiceLogger } from './service-logger';

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ name: 'sample', level: 'info', format: 'json', destination, ...options });
  return { logger, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the logger', () => {
  it('writes JSON with the service, the level as a word and the time in ISO 8601', () => {
    const { logger, records } = capture();
    logger.info({ queue: 'q' }, 'hello');
    const [record] = records();
    expect(record).toMatchObject({ service: 'sample', level: 'info', queue: 'q', msg: 'hello' });
    expect(new Date(String(record?.time)).toISOString()).toBe(record?.time);
  });

  it('says on every line what the work in hand belongs to', () => {
    const { logger, records } = capture();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    runWith({ requestId: 'r1', orgId: 'acme', traceparent: `00-${traceId}-00f067aa0ba902b7-01` }, () => {
      logger.info('before');
      addToContext({ workspaceId: 'w1', operationId: 'o1' });
      logger.info('after');
    });
    logger.info('outside');
    const [before, after, outside] = records();
    expect(before).toMatchObject({ request_id: 'r1', org_id: 'acme', trace_id: traceId });
    expect(before).not.toHaveProperty('operation_id');
    expect(after).toMatchObject({ request_id: 'r1', workspace_id: 'w1', operation_id: 'o1' });
    expect(outside).not.toHaveProperty('request_id');
  });

  it('never writes a credential, wherever it stands', () => {
    const { logger, lines, records } = capture();
    logger.info({ headers: { authorization: 'Bearer hidden' }, deep: { er: { pod_token: 'hidden', REPLICA_PASSWORD: 'hidden' } } }, 'x');
    logger.error({ err: new Error('connect amqp://user:hidden@host:5672 failed') }, 'lost');
    logger.info('Authorization: Bearer hidden-token-value');
    expect(lines.join('')).not.toContain('hidden');
    expect(records()).toHaveLength(3);
  });

  it('cuts a line that would be too long, whatever makes it so, and it is JSON all the same', () => {
    const { logger, lines, records } = capture();
    const err = Object.assign(new Error(`cannot store ${'\0'.repeat(1_000_000)}`), { parameters: ['x'.repeat(1_000_000)] });
    logger.error({ err, list: Array(100_000).fill(1), ['k'.repeat(1_000_000)]: { a: 1 } }, 'm'.repeat(1_000_000));
    runWith({ orgId: 'o'.repeat(1_000_000) }, () => logger.info('x'));
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThan(16_384);
    expect(records()).toMatchObject([{ level: 'error', service: 'sample' }, { level: 'info' }]);
  });

  it('keeps to its level', () => {
    const { logger, lines } = capture({ level: 'warn' });
    logger.info('quiet');
    logger.warn('loud');
    expect(lines).toHaveLength(1);
  });

  it('writes one readable line at once when it is pretty', () => {
    const { logger, lines } = capture({ format: 'pretty' });
    logger.warn({ queue: 'q', password: 'hidden' }, 'hello');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: sample: hello \{.*"queue":"q".*\}\n$/);
    expect(lines[0]).not.toContain('hidden');
  });
});

describe('ServiceLogger', () => {
  const { logger, records, lines } = capture({ level: 'debug' });
  const nest = new ServiceLogger(logger);
  beforeEach(() => lines.splice(0));

  it("writes Nest's lines with their context", () => {
    nest.log('hello', 'Consumer');
    nest.error({ err: new Error('broken'), queue: 'q' }, 'failed', 'Consumer');
    expect(records()).toMatchObject([
      { level: 'info', context: 'Consumer', msg: 'hello' },
      { level: 'error', context: 'Consumer', queue: 'q', msg: 'failed', err: { message: 'broken' } },
    ]);
  });

  it("keeps Nest's start-up talk, and what startService says itself, at debug", () => {
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    nest.error(new Error('no such dependency'), 'ExceptionHandler');
    expect(records().map(({ level }) => level)).toEqual(['debug', 'debug']);
  });
});
