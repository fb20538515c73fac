import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A program whose first thread ends while its second one goes on, which Node cannot write: an executable for Linux on x86-64 that starts a thread by
 * `clone(2)` and ends its first one by `exit(2)`. The thread appends a line to the file of the first argument, fifty times a second.
 */
const PROGRAM = `
f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAAeABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAABAAAAAAAAAAEAAAAFAAAAAAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAAIAEAAAAAAAAgAQAAAAAA
AAAQAAAAAAAASItcJBC4CQAAADH/vgAAAQC6AwAAAEG6IgAAAEnHwP////9FMckPBUiNsAAAAQC4OAAAAL8ADwUAMdJFMdJFMcAPBYXAdAm4PAAAADH/DwW4AgAAAEiJ375BBAAAuqQBAAAPBUGJ
xLgBAAAARInnSI01GQAAALoCAAAADwW4IwAAAEiNPQ8AAAAx9g8F69h4Cg8fgAAAAAAAAAAAAAAAAAAtMQEAAAAA`;

export const HAS_PROGRAM = process.platform === 'linux' && process.arch === 'x64';

/** @returns the program's path */
export function firstThreadEnds(directory: string, name = 'first-thread-ends'): string {
  const path = join(directory, name);
  writeFileSync(path, Buffer.from(PROGRAM, 'base64'), { mode: 0o755 });
  return path;
}
