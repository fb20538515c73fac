import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { Logger } from '@nestjs/common';
import { runWith } from '../context/context';
import { redactText } from '../logging/redact';

/** `ExportResultCode.SUCCESS`, whose package is no dependency of ours. */
const SUCCESS = 0;

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
      const { code, error }: { code: number; error?: Error } = result;
      // Out of the context of whatever work happened to fill the batch.
      runWith({}, () => this.tell(code !== SUCCESS, error));
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
  const [line = ''] = (error?.message ?? '').split('\n', 1);
  // Several addresses of one host fail as an AggregateError, whose own message is empty.
  return line === '' ? String((error as { code?: string } | undefined)?.code) : redactText(line);
}
