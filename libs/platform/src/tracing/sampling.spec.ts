import * as sdk from '@opentelemetry/sdk-trace-node';
import { currentContext, runWith } from '../context/context';
import { parseTraceparent } from '../context/traceparent';
import type { SamplerName } from '../config/tracing.config';
import { inSpan } from './in-span';
import { samplerOf } from './sdk';
import { recordSpans } from './testing/recording';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

/** Whether a trace is told, and the flags that go on, for what came in with these flags. */
async function told(
  traceSampler: SamplerName,
  flags: '00' | '01' | null,
  traceRatio = 1,
): Promise<{ told: boolean; flags: string | undefined }> {
  const recording = await recordSpans(samplerOf(sdk, { traceSampler, traceRatio }));
  const traceparent = flags === null ? undefined : `00-${TRACE}-00f067aa0ba902b7-${flags}`;
  const seen = await runWith({ traceparent }, () => inSpan('a', { kind: 'server' }, () => Promise.resolve(currentContext())));
  recording.stop();
  expect(seen.traceId).toBe(flags === null ? seen.traceId : TRACE);
  return { told: recording.spans.length === 1, flags: parseTraceparent(seen.traceparent)?.flags };
}

const YES = { told: true, flags: '01' };
const NO = { told: false, flags: '00' };

describe('which traces are told', () => {
  it.each([
    ['parentbased_always_on', null, YES],
    ['parentbased_always_on', '00', NO],
    ['parentbased_always_off', null, NO],
    ['parentbased_always_off', '01', YES],
    ['always_on', '00', YES],
    ['always_off', '01', NO],
  ] as const)('%s, asked with flags %s', async (sampler, flags, expected) => {
    expect(await told(sampler, flags)).toEqual(expected);
  });

  it('by ratio none of nothing, all of 1, and always what whoever began the trace decided', async () => {
    expect(await told('parentbased_traceidratio', null, 0)).toEqual(NO);
    expect(await told('parentbased_traceidratio', null, 1)).toEqual(YES);
    expect(await told('parentbased_traceidratio', '01', 0)).toEqual(YES);
    expect(await told('parentbased_traceidratio', '00', 1)).toEqual(NO);
    expect(await told('traceidratio', '01', 0)).toEqual(NO);
  });

  it('a trace that is not told still has one id for everything that belongs to it', async () => {
    const recording = await recordSpans(samplerOf(sdk, { traceSampler: 'always_off', traceRatio: 1 }));
    const ids = await inSpan('a', { kind: 'server' }, async () => [
      currentContext().traceId,
      await inSpan('b', {}, () => Promise.resolve(currentContext().traceId)),
    ]);
    recording.stop();
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[1]).toBe(ids[0]);
  });
});
