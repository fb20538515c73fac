import { run } from '../program';
import type { ExitCode } from '../failure';

export interface Recorded {
  code: ExitCode;
  out: string;
  err: string;
}

/** Runs a command line in this process and records what it writes. @param cwd somewhere without a `.reprise/env` above it */
export async function record(args: string[], env: NodeJS.ProcessEnv = {}, cwd = '/'): Promise<Recorded> {
  const written = { out: '', err: '' };
  const code = await run(args, {
    env,
    cwd,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
  });
  return { code, ...written };
}
