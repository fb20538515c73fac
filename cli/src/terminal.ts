/** Where a verb is run from and what it may write to; a test gives its own. */
export interface Terminal {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Standard output: the answer alone, so that it can be piped. */
  out(text: string): void;
  /** Standard error: progress and failures. */
  err(text: string): void;
  /** Asks whoever sits there; absent where nobody does. */
  ask?(question: string): Promise<string>;
}

/** Prints an answer: as one JSON document, or as lines for a person. */
export function answer(terminal: Terminal, json: boolean, value: unknown, lines: string[]): void {
  terminal.out(json ? `${JSON.stringify(value, null, 2)}\n` : lines.map((line) => `${line}\n`).join(''));
}

/** Rows under their headings, in columns as wide as they need to be. */
export function table(headings: string[], rows: string[][]): string[] {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
