/** The most values, counting each element and each field, that a JSON text from outside may have. Far above what any message has. */
export const MOST_VALUES = 10_000;
/** How deep it may nest. What walks a value by recursion, JSON.stringify for one, would run out of stack far above this. */
export const DEEPEST = 64;

/** Bytes from outside are not JSON that is taken. */
export class JsonError extends Error {
  constructor(
    /** `unreadable`: no JSON in UTF-8; `excessive`: more of it than is taken. */
    readonly why: 'unreadable' | 'excessive',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The value of a JSON text. Its size in values is looked at first: parsing a megabyte of brackets or of keys takes a processor a quarter of a second.
 * @throws JsonError
 */
export function parseJson(bytes: Buffer): unknown {
  const excess = excessOf(bytes);
  if (excess !== undefined) throw new JsonError('excessive', excess);
  try {
    return JSON.parse(utf8.decode(bytes)) as unknown;
  } catch (cause) {
    throw new JsonError('unreadable', cause instanceof SyntaxError ? 'is not valid JSON' : 'is not UTF-8', { cause });
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_LIST = 0x5d;
const CLOSE_OBJECT = 0x7d;

/** What is too much about a JSON text, told by its commas and brackets alone; undefined where nothing is, or it is no JSON. */
function excessOf(bytes: Buffer): string | undefined {
  // Every value has a byte of its own and a comma or a bracket.
  if (bytes.length <= DEEPEST) return undefined;
  let values = 1;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (quoted) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) {
      quoted = true;
    } else if (byte === COMMA) {
      if (++values > MOST_VALUES) return `has more than ${MOST_VALUES} values`;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (++depth > DEEPEST) return `is nested deeper than ${DEEPEST} levels`;
      if (++values > MOST_VALUES) return `has more than ${MOST_VALUES} values`;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      depth--;
    }
  }
  return undefined;
}
