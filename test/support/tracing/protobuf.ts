/** One field of a message on the wire: its number, and its value as the wire has it. */
export interface Field {
  number: number;
  value: bigint | Buffer;
}

/**
 * The fields of a protobuf message, in order, as much as OTLP needs: numbers come as they stand on the wire, everything with a length as bytes
 * (https://protobuf.dev/programming-guides/encoding/).
 */
export function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const [tag, afterTag] = varint(bytes, at);
    const number = Number(tag >> 3n);
    switch (Number(tag & 7n)) {
      case 0: {
        const [value, next] = varint(bytes, afterTag);
        fields.push({ number, value });
        at = next;
        break;
      }
      case 1:
        fields.push({ number, value: bytes.readBigUInt64LE(afterTag) });
        at = afterTag + 8;
        break;
      case 2: {
        const [length, start] = varint(bytes, afterTag);
        at = start + Number(length);
        fields.push({ number, value: bytes.subarray(start, at) });
        break;
      }
      case 5:
        fields.push({ number, value: BigInt(bytes.readUInt32LE(afterTag)) });
        at = afterTag + 4;
        break;
      default:
        throw new Error(`No protobuf at byte ${at}`);
    }
  }
  return fields;
}

/** The values of a repeated field that has a length. */
export function all(fields: readonly Field[], number: number): Buffer[] {
  return fields.filter((field) => field.number === number).map(({ value }) => value as Buffer);
}

/** The value of a field that stands once; its default is empty. */
export function bytesAt(fields: readonly Field[], number: number): Buffer {
  return all(fields, number).at(-1) ?? Buffer.alloc(0);
}

/** The value of a number that stands once; its default is 0. */
export function numberAt(fields: readonly Field[], number: number): bigint {
  return (fields.findLast((field) => field.number === number)?.value as bigint | undefined) ?? 0n;
}

function varint(bytes: Buffer, from: number): [bigint, number] {
  let value = 0n;
  for (let at = from, shift = 0n; ; at += 1, shift += 7n) {
    const byte = bytes.readUInt8(at);
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
}
