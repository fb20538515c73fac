import { all, bytesAt, type Field, fieldsOf, numberAt } from './protobuf';

export const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/** A span as the collector was told of it. */
export interface Span {
  service: string;
  traceId: string;
  spanId: string;
  /** Empty for the first span of a trace. */
  parentId: string;
  name: string;
  kind: (typeof KINDS)[number];
  startNs: bigint;
  endNs: bigint;
  failed: boolean;
  attributes: Record<string, string | number | boolean>;
}

/**
 * The spans of an `ExportTraceServiceRequest`; the numbers are those of
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto.
 */
export function spansOf(request: Buffer): Span[] {
  return all(fieldsOf(request), 1).flatMap((bytes) => {
    const resourceSpans = fieldsOf(bytes);
    const resource = attributesAt(fieldsOf(bytesAt(resourceSpans, 1)), 1);
    const spans = all(resourceSpans, 2).flatMap((scopeSpans) => all(fieldsOf(scopeSpans), 2));
    return spans.map((span) => spanOf(fieldsOf(span), String(resource['service.name'])));
  });
}

function spanOf(fields: readonly Field[], service: string): Span {
  return {
    service,
    traceId: bytesAt(fields, 1).toString('hex'),
    spanId: bytesAt(fields, 2).toString('hex'),
    parentId: bytesAt(fields, 4).toString('hex'),
    name: bytesAt(fields, 5).toString(),
    kind: KINDS[Number(numberAt(fields, 6))] ?? 'unspecified',
    startNs: numberAt(fields, 7),
    endNs: numberAt(fields, 8),
    failed: numberAt(fieldsOf(bytesAt(fields, 15)), 3) === 2n,
    attributes: attributesAt(fields, 9),
  };
}

function attributesAt(fields: readonly Field[], number: number): Span['attributes'] {
  return Object.fromEntries(
    all(fields, number).map((bytes) => {
      const pair = fieldsOf(bytes);
      return [bytesAt(pair, 1).toString(), valueOf(fieldsOf(bytesAt(pair, 2)))];
    }),
  );
}

/** An `AnyValue`: string, boolean or whole number; others are not sent. */
function valueOf([field]: readonly Field[]): string | number | boolean {
  if (field === undefined) return '';
  if (typeof field.value !== 'bigint') return field.value.toString();
  return field.number === 2 ? field.value === 1n : Number(BigInt.asIntN(64, field.value));
}
