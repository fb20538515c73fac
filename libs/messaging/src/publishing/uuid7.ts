import { randomBytes } from 'node:crypto';

let lastMs = 0;
let counter = 0;

/**
 * A UUID of version 7 (RFC 9562) that is greater than every one this process made before: 48 bits of milliseconds, a 32-bit counter within
 * the millisecond, 42 random bits.
 */
export function uuid7(nowMs: number = Date.now()): string {
  const random = randomBytes(10);
  if (nowMs > lastMs) {
    lastMs = nowMs;
    // Half of the range is left to count in.
    counter = random.readUInt32BE(0) >>> 1;
  } else if (++counter > 0xffffffff) {
    lastMs += 1;
    counter = 0;
  }
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  // The version takes four bits and the variant two, so the counter stands in 12 + 14 + 6 bits.
  bytes.writeUInt16BE(0x7000 | (counter >>> 20), 6);
  bytes.writeUInt16BE(0x8000 | ((counter >>> 6) & 0x3fff), 8);
  bytes[10] = ((counter & 0x3f) << 2) | (random[4]! & 0x03);
  random.copy(bytes, 11, 5, 10);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
