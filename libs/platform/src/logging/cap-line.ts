import { capValue } from '../text/cap-value';

/** A line of the log in characters; what collects logs cuts or drops longer ones. */
const LONGEST_LINE = 16 * 1024;
/** What is kept of a longer one, in bytes of JSON. The fields that stand on every line come first, so they are kept. */
const KEPT_BYTES = 8 * 1024;

/** The finished line, its texts cut where it is too long; it is JSON all the same. Whatever a value holds, it fills no log. */
export function capLine(line: string): string {
  if (line.length <= LONGEST_LINE) return line;
  return `${JSON.stringify(capValue(JSON.parse(line), KEPT_BYTES))}\n`;
}
