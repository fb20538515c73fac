import { createInterface } from 'node:readline/promises';
import { makeStacksReadable } from '@reprise/platform/tools';
import { run } from './program';

const LEAVE_AFTER_MS = 1_000;

async function ask(question: string): Promise<string> {
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await dialogue.question(question);
  } finally {
    dialogue.close();
  }
}

makeStacksReadable();
void run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  ...(process.stdin.isTTY && process.stderr.isTTY ? { ask } : {}),
}).then((code) => {
  process.exitCode = code;
  // A server that hangs never closes its connections: what was asked has been answered, and nobody waits for them.
  setTimeout(() => process.exit(), LEAVE_AFTER_MS).unref();
});
