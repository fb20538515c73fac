import type { TracingConfig } from '../config/tracing.config';
import { within } from '../health/indicator';
import { tellTo } from './sdk';
import { useSpanMaker } from './tracer';

/** How long the end of a process waits for the collector to take the last spans. */
const LAST_WORDS_MS = 3_000;

/** Tracing that is on, or was never. */
export interface Tracing {
  /** Sends what is left and ends tracing; never rejects, and never takes longer than a few seconds. */
  stop(): Promise<void>;
}

/** Begins to trace this process if the config names a collector; one that cannot be reached keeps nobody waiting. */
export async function startTracing(name: string, config: TracingConfig): Promise<Tracing> {
  const url = endpointOf(config);
  if (url === undefined) return { stop: () => Promise.resolve() };
  const telling = await tellTo(url, name, config);
  useSpanMaker(telling.maker);
  return {
    stop: async () => {
      useSpanMaker(undefined);
      await within(LAST_WORDS_MS, telling.shutdown()).catch(() => undefined);
    },
  };
}

/** As the specification has it: the endpoint of traces to the letter, else the path of traces beneath that of all signals. */
export function endpointOf({ otlpEndpoint, otlpTracesEndpoint }: TracingConfig): string | undefined {
  if (otlpTracesEndpoint !== undefined || otlpEndpoint === undefined) return otlpTracesEndpoint;
  const url = new URL(otlpEndpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url.href;
}
