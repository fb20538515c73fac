/** No deeper than what is read ({@link DEEPEST_HEADER} of the connection), and room for a note. */
const DEEPEST = 64;
const LONGEST_NAME_BYTES = 255;

/**
 * How many bytes amqplib writes for a header; undefined for one that it cannot write. Not everything that it reads is among what it writes: it takes
 * a table with a key `!` for a type of its own, a large negative double for a long, and a name that is not UTF-8 has become longer.
 */
export function fieldSize(name: string, value: unknown): number | undefined {
  return namedSize(name, value, DEEPEST);
}

function namedSize(name: string, value: unknown, levels: number): number | undefined {
  const nameBytes = Buffer.byteLength(name);
  const size = nameBytes > LONGEST_NAME_BYTES ? undefined : valueSize(value, levels);
  return size === undefined ? undefined : 1 + nameBytes + size;
}

function valueSize(value: unknown, levels: number): number | undefined {
  switch (typeof value) {
    case 'string':
      return 5 + Buffer.byteLength(value);
    case 'boolean':
      return 2;
    case 'number':
      return numberSize(value);
    case 'object':
      return value === null ? 1 : objectSize(value, levels);
    default:
      return undefined;
  }
}

/** It writes what looks whole as a whole number, in as few bytes as hold it. */
function numberSize(value: number): number | undefined {
  if (value >= 2 ** 63 || (Math.abs(value) < 2 ** 50 && !Number.isInteger(value))) return 9;
  // Above 2 ** 50 there are still halves, which it takes for whole and then cannot write.
  if (!(value >= -(2 ** 63)) || !Number.isInteger(value)) return undefined;
  if (value >= -(2 ** 7) && value < 2 ** 7) return 2;
  if (value >= -(2 ** 15) && value < 2 ** 15) return 3;
  return value >= -(2 ** 31) && value < 2 ** 31 ? 5 : 9;
}

function objectSize(value: object, levels: number): number | undefined {
  if (levels === 0) return undefined;
  if (Array.isArray(value)) return sum(value, (each) => valueSize(each, levels - 1));
  // `Buffer.isBuffer` believes an object whose header `__proto__` was bytes.
  if (ArrayBuffer.isView(value)) return 5 + value.byteLength;
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  if (Object.hasOwn(value, '!')) return specialSize(value as { '!': unknown; value?: unknown });
  return sum(Object.entries(value), ([name, each]) => namedSize(name, each, levels - 1));
}

/** Of the types that have no counterpart in JavaScript it reads two. */
function specialSize({ '!': type, value }: { '!': unknown; value?: unknown }): number | undefined {
  if (type === 'timestamp') return isWhole(value, 2 ** 64) ? 9 : undefined;
  if (type !== 'decimal' || typeof value !== 'object' || value === null) return undefined;
  const { places, digits } = value as { places?: unknown; digits?: unknown };
  return isWhole(places, 2 ** 8) && isWhole(digits, 2 ** 32) ? 6 : undefined;
}

/** Whether a property `timestamp`, or what else is a whole number in so many bits, can be written. */
export function isWhole(value: unknown, below: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < below;
}

function sum<T>(all: readonly T[], sizeOf: (each: T) => number | undefined): number | undefined {
  let total = 5;
  for (const each of all) {
    const size = sizeOf(each);
    if (size === undefined) return undefined;
    total += size;
  }
  return total;
}
