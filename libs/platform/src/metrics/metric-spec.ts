/**
 * What a metric is, apart from any process that counts it: so that the documentation, the dashboard and the alert rules can be compared with
 * what the code registers. Names follow https://prometheus.io/docs/practices/naming/: base units, and the unit or `_total` at the end.
 */
interface Spec<L extends string> {
  readonly name: string;
  /** One sentence for the reader of docs/metrics.md and of the scrape. */
  readonly help: string;
  /** Each has few values, known beforehand: never an id, a path or a text from outside. */
  readonly labels: readonly L[];
}

export interface CounterSpec<L extends string = string> extends Spec<L> {
  readonly type: 'counter';
}

export interface GaugeSpec<L extends string = string> extends Spec<L> {
  readonly type: 'gauge';
}

export interface HistogramSpec<L extends string = string> extends Spec<L> {
  readonly type: 'histogram';
  /** The upper bounds, in the metric's unit. */
  readonly buckets: readonly number[];
}

export type MetricSpec = CounterSpec | GaugeSpec | HistogramSpec;

/** Something that happened, counted from the start of the process. */
export function counter<L extends string = never>(name: string, help: string, labels: readonly L[] = []): CounterSpec<L> {
  return { type: 'counter', name, help, labels };
}

/** How much there is of something now. */
export function gauge<L extends string = never>(name: string, help: string, labels: readonly L[] = []): GaugeSpec<L> {
  return { type: 'gauge', name, help, labels };
}

/** How long or how large things are, and by its `_count` how many there were. */
export function histogram<L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[],
  buckets: readonly number[],
): HistogramSpec<L> {
  return { type: 'histogram', name, help, labels, buckets };
}
