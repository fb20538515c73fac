import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { addToContext, currentContext, runWith } from '../context/context';
import { parseTraceparent } from '../context/traceparent';
import { createLogger } from '../logging/logger';
import { inSpan } from './in-span';
import { annotateSpan, failSpan } from './open-span';
import { type Recording, recordSpans } from './testing/recording';
import { inTransactionSpan } from './transaction-span';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const here = () => Promise.resolve(currentContext());

describe('where nothing is traced', () => {
  it('work runs in the context that it had, and what is told of spans goes nowhere', async () => {
    const seen = await runWith({ requestId: 'r1', traceparent: TRACEPARENT }, () =>
      inSpan('a', { kind: 'server' }, () => {
        annotateSpan({ a: 1 });
        failSpan('never');
        return here();
      }),
    );
    expect(seen).toEqual({ requestId: 'r1', traceparent: TRACEPARENT, traceId: TRACE });
  });
});

describe('a span', () => {
  let recording: Recording;
  beforeEach(async () => (recording = await recordSpans()));
  afterEach(() => recording.stop());

  it('is part of the trace that the work came with, and the work under it is part of the span', async () => {
    const seen = await runWith({ traceparent: TRACEPARENT }, () => inSpan('outer', {}, () => inSpan('inner', {}, here)));
    const [outer, inner] = [recording.the('outer'), recording.the('inner')];
    expect(outer.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: SPAN });
    expect(inner.parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
    expect(parseTraceparent(seen.traceparent)).toEqual({ traceId: TRACE, parentId: inner.spanContext().spanId, flags: '01' });
  });

  it('gives its trace id to the lines of the log, also where it began the trace itself', async () => {
    const lines: string[] = [];
    const logger = createLogger({ name: 's', level: 'info', format: 'json', destination: { write: (line) => void lines.push(line) } });
    await runWith({ requestId: 'r1' }, () => inSpan('first', { kind: 'consumer' }, () => Promise.resolve(logger.info('hello'))));
    const { traceId } = recording.the('first').spanContext();
    expect(JSON.parse(lines[0]!)).toMatchObject({ request_id: 'r1', trace_id: traceId });
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('says at its end what the work belongs to, with all that was found out in it', async () => {
    await runWith({ requestId: 'r1', orgId: 'acme' }, () =>
      inSpan('outer', { kind: 'server' }, async () => {
        await inSpan('inner', {}, async () => {
          await here();
          addToContext({ workspaceId: 'w1' });
        });
        addToContext({ operationId: 'o1' });
        expect(currentContext()).toMatchObject({ workspaceId: 'w1', operationId: 'o1' });
      }),
    );
    expect(recording.the('outer').attributes).toEqual({
      ...{ 'reprise.request.id': 'r1', 'reprise.org.id': 'acme', 'reprise.workspace.id': 'w1', 'reprise.operation.id': 'o1' },
    });
    expect(recording.the('inner').attributes).not.toHaveProperty(['reprise.operation.id']);
  });

  it('fails with what is thrown, told by a word and never by its message', async () => {
    const refused = Object.assign(new Error('the password is hidden'), { code: 'refused' });
    await expect(inSpan('a', { kind: 'consumer' }, () => Promise.reject(refused))).rejects.toBe(refused);
    const { status, attributes, events } = recording.the('a');
    expect(status).toEqual({ code: SpanStatusCode.ERROR });
    expect(attributes).toEqual({ 'error.type': 'refused' });
    expect(events).toEqual([]);
  });

  it('fails on its own word alone where nothing is thrown', async () => {
    await inSpan('a', { kind: 'consumer' }, () => Promise.resolve(failSpan('retryable')));
    expect(recording.the('a')).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'retryable' } });
  });

  it('of a transaction fails with the database, not with a rule that rolls it back', async () => {
    const inTrace = (error: Error) => runWith({ traceparent: TRACEPARENT }, () => inTransactionSpan(() => Promise.reject(error)));
    await expect(inTrace(Object.assign(new Error(), { code: 'workspace_busy' }))).rejects.toThrow();
    await expect(inTrace(Object.assign(new Error(), { code: '57P01' }))).rejects.toThrow();
    expect(recording.spans.map(({ status, attributes, kind }) => [status.code, attributes['error.type'], kind])).toEqual([
      [SpanStatusCode.UNSET, 'workspace_busy', SpanKind.CLIENT],
      [SpanStatusCode.ERROR, '57P01', SpanKind.CLIENT],
    ]);
  });

  it('begins a trace only where something comes in or is sent out: what a timer asks of the database is no trace', async () => {
    await inTransactionSpan(here);
    await inSpan('internal', {}, here);
    expect(recording.spans).toEqual([]);
    await inSpan('a', { kind: 'producer' }, here);
    expect(recording.spans).toHaveLength(1);
  });

  it('of work that is told to have no parent takes none from what is around it', async () => {
    await runWith({ traceparent: TRACEPARENT }, () => inSpan('a', { kind: 'server', parent: null }, here));
    expect(recording.the('a').parentSpanContext).toBeUndefined();
  });
});
