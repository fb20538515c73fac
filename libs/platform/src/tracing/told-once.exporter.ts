import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { Logger } from '@nestjs/common';
import { runWith } from '../context/context';
import { redactText } from '../logging/redact';

type Done = Parameters<SpanExporter['export']>[1];

/** An exporter that says once that the collector does not take traces, not for each batch, and once that it does again. */
export class ToldOnceExporter implements SpanExporter {
  private readonly logger = new Logger('Tracing');
  private failing = false;

  /** @param target where the spans go, for the log */
  constructor(
    private readonly exporter: SpanExporter,
    private readonly target: string,
  ) {}

  export(spans: ReadableSpan[], done: Done): void {
    this.exporter.export(spans, (result) => {
      // Code 0 is success. Out of the context of whatever work happened to fill the batch.
      runWith({}, () => this.tell(result.code !== 0, result.error));
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.exporter.forceFlush?.() ?? Promise.resolve();
  }

  private tell(failed: boolean, error: Error | undefined): void {
    if (failed === this.failing) return;
    this.failing = failed;
    if (!failed) this.logger.log(`Traces reach ${this.target} again`);
    else this.logger.warn(`Traces do not reach ${this.target} and are lost until they do; the work goes on: ${reasonOf(error)}`);
  }
}

function reasonOf(error: Error | undefined): string {
  const { message = '', code } = (error ?? {}) as { message?: string; code?: unknown };
  return redactText(message.split('\n', 1)[0] || String(code ?? 'unknown reason'));
}
