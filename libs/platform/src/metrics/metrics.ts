import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type CounterSpec, gauge, type GaugeSpec, type HistogramSpec, type MetricSpec } from './metric-spec';
import { Sample, type SampleOptions } from './sample';

export type { Counter, Gauge, Histogram };

export const SOURCE_UP = gauge(
  'metrics_source_up',
  'Whether the figures of this source could be read at the last attempt (1) or are left out (0).',
  ['source'],
);

/**
 * How often the event loop's delay is measured, which is in every figure of it. prom-client's own 10 ms wake a process a hundred times a second that has
 * nothing else to do: half of what it takes of a processor at rest.
 */
const LOOK_AT_LOOP_MS = 50;

/**
 * The metrics of one application. A registry of its own and not prom-client's global one, so that several applications in one process do
 * not count for each other.
 */
@Injectable()
export class Metrics {
  readonly contentType: string;

  private readonly registry = new Registry();
  private readonly samples: Sample<unknown>[] = [];
  private readonly sourceUp: Gauge<'source'>;

  constructor() {
    this.contentType = this.registry.contentType;
    this.sourceUp = this.gauge(SOURCE_UP);
  }

  /** The counter of this name, made at the first call. */
  counter<L extends string>(spec: CounterSpec<L>): Counter<L> {
    return this.known<Counter<L>>(spec) ?? new Counter(this.configurationOf(spec));
  }

  gauge<L extends string>(spec: GaugeSpec<L>): Gauge<L> {
    return this.known<Gauge<L>>(spec) ?? new Gauge(this.configurationOf(spec));
  }

  histogram<L extends string>(spec: HistogramSpec<L>): Histogram<L> {
    return this.known<Histogram<L>>(spec) ?? new Histogram({ ...this.configurationOf(spec), buckets: [...spec.buckets] });
  }

  /** Gauges that are asked for when the application is scraped; see {@link Sample}. */
  sample<T>(gauges: readonly GaugeSpec[], options: SampleOptions<T>): void {
    const clear = (): void => {
      for (const spec of gauges) {
        // Without labels `reset` would leave a 0, which is a figure like any other.
        if (spec.labels.length === 0) this.gauge(spec).remove();
        else this.gauge(spec).reset();
      }
    };
    this.samples.push(new Sample(options, clear, (up) => this.sourceUp.set({ source: options.source }, up ? 1 : 0)) as Sample<unknown>);
  }

  /** Adds those of the process itself: `process_*` and `nodejs_*`. Once for a process. */
  ofProcess(): void {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LOOK_AT_LOOP_MS });
  }

  /** All of it in Prometheus's text format. Takes no longer than the slowest sample may, and never fails for one. */
  async text(): Promise<string> {
    await Promise.all(this.samples.map((sample) => sample.refresh()));
    return this.registry.metrics();
  }

  private known<M>({ name }: MetricSpec): M | undefined {
    return this.registry.getSingleMetric(name) as M | undefined;
  }

  private configurationOf<L extends string>({ name, help, labels }: { name: string; help: string; labels: readonly L[] }) {
    return { name, help, labelNames: [...labels], registers: [this.registry] };
  }
}
