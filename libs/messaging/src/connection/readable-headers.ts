import { capText } from '@reprise/platform';
import { HEADER } from '../publishing/headers';

/** More levels of tables and arrays than anybody writes on purpose; the broker's own account of a death has four. */
export const DEEPEST_HEADER = 32;
const LONGEST_NOTE_BYTES = 1024;
const LONGEST_NAME_BYTES = 64;
/** So many of them are named. */
const MOST_NAMES = 10;

/** What we use of amqplib's connection: the bytes that have come, and the function that takes one frame from them. */
interface FrameReader {
  rest: Buffer;
  recvFrame: () => unknown;
}

/**
 * Keeps headers that amqplib cannot decode away from it. It decodes nested tables by recursion, within the reader of the connection: one message
 * that nests too deep, or has a type that it does not know, ends the connection, and is delivered again to the next one (ADR 52). Such
 * headers are taken out of the frame before it is decoded, and {@link HEADER.unreadable} says which they were.
 * @param connection `ChannelModel.connection` of amqplib
 */
export function readHeadersSafely(connection: object): void {
  const reader = connection as FrameReader;
  const { recvFrame } = reader;
  // It calls itself again by this name when more bytes have come.
  reader.recvFrame = () => {
    reader.rest = withReadableHeaders(reader.rest);
    return recvFrame.call(reader);
  };
}

/** The bytes as they are, unless they begin with a whole content header that has headers which cannot be read. */
export function withReadableHeaders(received: Buffer): Buffer {
  const place = tableIn(received);
  if (!place) return received;
  const { kept, unreadable } = sift(received.subarray(place.start, place.end));
  if (unreadable.length === 0) return received;
  const table = Buffer.concat([...kept, stringField(HEADER.unreadable, noteOf(unreadable))]);
  const before = Buffer.from(received.subarray(0, place.start));
  before.writeUInt32BE(table.length, place.start - 4);
  before.writeUInt32BE(before.readUInt32BE(3) - (place.end - place.start) + table.length, 3);
  return Buffer.concat([before, table, received.subarray(place.end)]);
}

const FRAME_HEADER_BYTES = 7;
const CONTENT_HEADER_FRAME = 2;
/** Class, weight and the size of the body, which stand before the flags. */
const BEFORE_FLAGS_BYTES = 12;
const FLAG = { contentType: 0x8000, contentEncoding: 0x4000, headers: 0x2000 };

/** Where the headers are in the first frame; undefined where it has none, or has not come whole. */
function tableIn(received: Buffer): { start: number; end: number } | undefined {
  if (received.length < FRAME_HEADER_BYTES || received[0] !== CONTENT_HEADER_FRAME) return undefined;
  const frameEnd = FRAME_HEADER_BYTES + received.readUInt32BE(3);
  if (received.length <= frameEnd) return undefined;
  let at = FRAME_HEADER_BYTES + BEFORE_FLAGS_BYTES;
  const flags = received.readUInt16BE(at);
  if (!(flags & FLAG.headers)) return undefined;
  at += 2;
  // The two short texts that stand before the headers, where they are there.
  for (const flag of [FLAG.contentType, FLAG.contentEncoding]) if (flags & flag) at += 1 + received.readUInt8(at);
  const start = at + 4;
  const end = start + received.readUInt32BE(at);
  return end <= frameEnd ? { start, end } : undefined;
}

function sift(table: Buffer): { kept: Buffer[]; unreadable: string[] } {
  const kept: Buffer[] = [];
  const unreadable: string[] = [];
  for (let at = 0; at < table.length;) {
    const valueAt = at + 1 + table.readUInt8(at);
    const end = endOf(table, valueAt, table.length);
    const name = capText(table.toString('utf8', at + 1, valueAt), LONGEST_NAME_BYTES);
    // Where it ends is not known, so neither is where the next one begins.
    if (end === undefined) return { kept, unreadable: [...unreadable, `${name} and what follows it (of an unknown type)`] };
    const depth = depthOf(table, valueAt, end);
    if (depth === undefined) unreadable.push(`${name} (holds an unknown type)`);
    else if (depth > DEEPEST_HEADER) unreadable.push(`${name} (${depth} levels deep, ${end - valueAt} bytes)`);
    else kept.push(table.subarray(at, end));
    at = end;
  }
  return { kept, unreadable };
}

/** How many levels of tables and arrays a value has; undefined where something in it has no type that is known. Without recursion. */
function depthOf(table: Buffer, start: number, end: number): number | undefined {
  const open: { end: number; named: boolean }[] = [];
  let deepest = 0;
  let at = start;
  do {
    const around = open.at(-1);
    // Within a table, a name stands before each value.
    if (around?.named) at += 1 + table.readUInt8(at);
    const valueEnd = endOf(table, at, around?.end ?? end);
    if (valueEnd === undefined) return undefined;
    const tag = table[at];
    if (tag === TABLE || tag === ARRAY) {
      open.push({ end: valueEnd, named: tag === TABLE });
      deepest = Math.max(deepest, open.length);
      at += 5;
    } else at = valueEnd;
    while (open.at(-1)?.end === at) open.pop();
  } while (open.length > 0);
  return deepest;
}

const TABLE = 'F'.charCodeAt(0);
const ARRAY = 'A'.charCodeAt(0);
/** The bytes of each type that amqplib decodes, after its tag; of those in the second list the first four say how many there are. */
const FIXED = new Map([...'V0t1b1B1s2u2I4i4f4D5l8d8T8'.matchAll(/(.)(\d)/g)].map(([, tag, size]) => [tag!.charCodeAt(0), Number(size)]));
const COUNTED = new Set([...'SxFA'].map((tag) => tag.charCodeAt(0)));

/** Where the value that begins here ends; undefined where its type is not known, or it would go beyond the limit. */
function endOf(table: Buffer, at: number, limit: number): number | undefined {
  if (at >= limit) return undefined;
  const tag = table[at]!;
  let size = FIXED.get(tag);
  if (COUNTED.has(tag) && at + 5 <= limit) size = 4 + table.readUInt32BE(at + 1);
  return size === undefined || at + 1 + size > limit ? undefined : at + 1 + size;
}

function noteOf(unreadable: readonly string[]): string {
  const more = unreadable.length - MOST_NAMES;
  return capText(`${unreadable.slice(0, MOST_NAMES).join('; ')}${more > 0 ? `; and ${more} more` : ''}`, LONGEST_NOTE_BYTES);
}

function stringField(name: string, text: string): Buffer {
  const [key, value] = [Buffer.from(name), Buffer.from(text)];
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.from([key.length]), key, Buffer.from('S'), length, value]);
}
