import { capWritten } from './cap-text';

const MOST_ENTRIES = 100;
const DEEPEST = 8;
/** Of a text within the value. */
const TEXT_BYTES = 4 * 1024;
/** What a key, its quotes and its colon cost at least. */
const ENTRY_BYTES = 4;

/**
 * A copy of the value that JSON writes in about `bytes` bytes at most: texts are cut, and what is beyond the budget is left out with a `…` in its
 * place. It looks at no more of the value than it keeps.
 */
export function capValue(value: unknown, bytes: number): unknown {
  return copy(value, { left: bytes }, 0);
}

function copy(value: unknown, room: { left: number }, depth: number): unknown {
  if (typeof value === 'string') return capped(value, room);
  if (typeof value !== 'object' || value === null) {
    room.left -= 8;
    return value;
  }
  if (depth >= DEEPEST || room.left <= 0) return '…';
  return Array.isArray(value) ? copyOfList(value, room, depth) : copyOfObject(value, room, depth);
}

function copyOfList(list: readonly unknown[], room: { left: number }, depth: number): unknown[] {
  const kept: unknown[] = [];
  for (const each of list) {
    if (kept.length >= MOST_ENTRIES || room.left <= 0) {
      kept.push('…');
      break;
    }
    kept.push(copy(each, room, depth + 1));
  }
  return kept;
}

function copyOfObject(object: object, room: { left: number }, depth: number): object {
  const kept: [string, unknown][] = [];
  // Not Object.entries, which makes all of them.
  for (const key in object) {
    if (!Object.hasOwn(object, key)) continue;
    if (kept.length >= MOST_ENTRIES || room.left <= 0) {
      kept.push(['…', '…']);
      break;
    }
    room.left -= ENTRY_BYTES;
    kept.push([capped(key, room), copy((object as Record<string, unknown>)[key], room, depth + 1)]);
  }
  // A key may be `__proto__`: only a definition keeps it.
  return Object.fromEntries(kept);
}

function capped(text: string, room: { left: number }): string {
  const kept = capWritten(text, Math.max(0, Math.min(TEXT_BYTES, room.left)));
  room.left -= Buffer.byteLength(JSON.stringify(kept));
  return kept;
}
