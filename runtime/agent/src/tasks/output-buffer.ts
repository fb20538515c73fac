/**
 * Keeps the last bytes of a stream, as many as fit: how a long output ends matters more than how it began.
 */
export class OutputBuffer {
  private chunks: Buffer[] = [];
  private size = 0;
  private dropped = 0;

  constructor(private readonly limit: number) {}

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    // Whole chunks only: what is over is cut when the text is asked for.
    while (this.chunks[0] && this.size - this.chunks[0].length >= this.limit) {
      this.size -= this.chunks[0].length;
      this.dropped += this.chunks[0].length;
      this.chunks.shift();
    }
  }

  /**
   * The text, at most `limit` bytes of it after a line that says how much is missing. Bytes that are not UTF-8, and NUL,
   * which no database column of text can hold, become U+FFFD.
   */
  text(): string {
    let bytes = Buffer.concat(this.chunks);
    let dropped = this.dropped;
    if (bytes.length > this.limit) {
      let cut = bytes.length - this.limit;
      // Not in the middle of a character: continuation bytes are 10xxxxxx.
      while (cut < bytes.length && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut++;
      dropped += cut;
      bytes = bytes.subarray(cut);
    }
    const text = bytes.toString('utf8').replaceAll('\0', '\uFFFD');
    return dropped > 0 ? `[${dropped} bytes before this are left out]\n${text}` : text;
  }
}
