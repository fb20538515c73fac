const MARK = '…';
const MARK_BYTES = Buffer.byteLength(MARK);
const QUOTES_BYTES = 2;
/** `\u0001` */
const LONGEST_ESCAPE = 6;

/** The text in at most so many bytes of UTF-8, never half a character; one that is cut ends in `…`. What is cut off costs nothing. */
export function capText(text: string, bytes: number): string {
  if (text.length * 3 <= bytes) return text;
  const start = Buffer.from(text.slice(0, bytes + 1));
  if (text.length <= bytes && start.length <= bytes) return text;
  // Half a character decodes to U+FFFD.
  return `${start
    .subarray(0, Math.max(0, bytes - MARK_BYTES))
    .toString()
    .replace(/\uFFFD+$/, '')}${MARK}`;
}

/** The same, where the bytes count as JSON writes the text: a control character has six of them there. */
export function capWritten(text: string, bytes: number): string {
  const kept = capText(text, bytes);
  return Buffer.byteLength(JSON.stringify(kept)) <= bytes + QUOTES_BYTES ? kept : capText(kept, Math.floor(bytes / LONGEST_ESCAPE));
}
