import { setTimeout as sleep } from 'node:timers/promises';
import { addToContext, currentContext, runWith } from './context';

describe('the request context', () => {
  it('is empty outside of any work', () => {
    expect(currentContext()).toEqual({});
  });

  it('follows the work through awaits and timers', async () => {
    const seen = await runWith({ requestId: 'r1', orgId: 'acme' }, async () => {
      await sleep(1);
      return currentContext();
    });
    expect(seen).toMatchObject({ requestId: 'r1', orgId: 'acme' });
  });

  it('keeps two pieces of work apart', async () => {
    const work = (requestId: string) =>
      runWith({ requestId }, async () => {
        await sleep(2);
        addToContext({ operationId: `op-${requestId}` });
        await sleep(2);
        return currentContext();
      });
    const [a, b] = await Promise.all([work('a'), work('b')]);
    expect(a).toMatchObject({ requestId: 'a', operationId: 'op-a' });
    expect(b).toMatchObject({ requestId: 'b', operationId: 'op-b' });
  });

  it('inherits nothing from the context around it', () => {
    runWith({ requestId: 'outer', orgId: 'acme' }, () => {
      runWith({ workspaceId: 'w' }, () => {
        expect(currentContext().orgId).toBeUndefined();
        expect(currentContext().workspaceId).toBe('w');
      });
      expect(currentContext().requestId).toBe('outer');
    });
  });

  it('takes the trace id from the traceparent', () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    runWith({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` }, () => {
      expect(currentContext().traceId).toBe(traceId);
    });
  });

  it('leaves the object that it was given alone', () => {
    const given = Object.freeze({ requestId: 'r1' });
    runWith(given, () => addToContext({ orgId: 'acme' }));
    expect(given).toEqual({ requestId: 'r1' });
  });

  it('ignores an addition outside of any work', () => {
    addToContext({ orgId: 'acme' });
    expect(currentContext()).toEqual({});
  });
});
