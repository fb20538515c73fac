import type { Span } from './otlp';

/** The spans of one trace, by who is part of whom. */
export class SpanTree {
  private readonly byId: ReadonlyMap<string, Span>;

  constructor(readonly spans: readonly Span[]) {
    this.byId = new Map(spans.map((span) => [span.spanId, span]));
  }

  get roots(): Span[] {
    return this.spans.filter(({ parentId }) => parentId === '');
  }

  /** Spans whose parent was never told. */
  get orphans(): Span[] {
    return this.spans.filter(({ parentId }) => parentId !== '' && !this.byId.has(parentId));
  }

  parentOf(span: Span): Span | undefined {
    return this.byId.get(span.parentId);
  }

  childrenOf({ spanId }: Span): Span[] {
    return this.spans.filter(({ parentId }) => parentId === spanId).sort((a, b) => Number(a.startNs - b.startNs));
  }

  named(name: string): Span[] {
    return this.spans.filter((span) => span.name === name).sort((a, b) => Number(a.startNs - b.startNs));
  }

  /** The one span of that name. @throws Error where there is none, or more */
  the(name: string): Span {
    const [span, ...others] = this.named(name);
    if (!span || others.length > 0) throw new Error(`${span ? others.length + 1 : 0} spans are named ${name}`);
    return span;
  }

  /** From the first span of the trace to this one: `service: name`. */
  pathTo(span: Span): string[] {
    const parent = this.parentOf(span);
    return [...(parent ? this.pathTo(parent) : []), `${span.service}: ${span.name}`];
  }

  /** For a person to read. */
  print(): string {
    const first = this.roots[0]?.startNs ?? 0n;
    const lines = (span: Span, depth: number): string[] => {
      const ms = (ns: bigint): string => (Number(ns) / 1e6).toFixed(1).padStart(7);
      const line = `${ms(span.startNs - first)} ${ms(span.endNs - span.startNs)}  ${'  '.repeat(depth)}${span.service}: ${span.name}${span.failed ? ' (failed)' : ''}`;
      return [line, ...this.childrenOf(span).flatMap((child) => lines(child, depth + 1))];
    };
    return ['   at ms   for ms', ...[...this.roots, ...this.orphans].flatMap((span) => lines(span, 0))].join('\n');
  }
}
