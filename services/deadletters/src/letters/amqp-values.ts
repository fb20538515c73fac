/**
 * AMQP tables as JSON, and back as they were: bytes, which JSON has no word for, are marked as amqplib itself marks its special values, by a
 * key `!`.
 */
export function toJson(table: object): string {
  return JSON.stringify(mark(table));
}

export function fromJson(json: string): Record<string, unknown> {
  return unmark(JSON.parse(json)) as Record<string, unknown>;
}

function mark(value: unknown): unknown {
  // `Buffer.isBuffer` believes a table whose key `__proto__` was bytes.
  if (Buffer.isBuffer(value) && ArrayBuffer.isView(value)) return { '!': 'bytes', base64: value.toString('base64') };
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(mark);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mark(each)]));
  return value;
}

function unmark(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmark);
  if (typeof value !== 'object' || value === null) return value;
  const { '!': kind, base64 } = value as Record<string, unknown>;
  if (kind === 'bytes' && typeof base64 === 'string') return Buffer.from(base64, 'base64');
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unmark(each)]));
}
