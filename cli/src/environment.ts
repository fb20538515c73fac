import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { Failure, reasonOf, wrongUsage } from './failure';
import type { Terminal } from './terminal';

/** The settings of the instance that the command speaks to. */
export class Environment {
  constructor(
    private readonly values: NodeJS.ProcessEnv,
    /** The file that some of them came from, for messages. */
    readonly file: string | undefined,
  ) {}

  /**
   * The value, else what stands in the file that `NAME_FILE` names; undefined where both are unset or empty.
   * @throws Failure where that file cannot be read
   */
  get(name: string): string | undefined {
    const value = this.values[name];
    if (value !== undefined && value.trim() !== '') return value;
    const file = this.values[`${name}_FILE`];
    return file === undefined || file.trim() === '' ? undefined : contentOf(`${name}_FILE`, file);
  }

  /** @throws Failure naming the variable and where it was looked for */
  need(name: string, what: string): string {
    const value = this.get(name);
    if (value !== undefined) return value;
    const where = this.file ? `nor in ${this.file}` : 'and no .reprise/env was found; run npm start first, or set it';
    throw new Failure(`${name} (${what}) is neither in the environment ${where}`);
  }
}

/**
 * The real environment, and beneath it the instance's own file: `--env-file`, else `REPRISE_ENV_FILE`, else the nearest `.reprise/env` from the
 * working directory up.
 * @throws Failure where a file that was named does not exist
 */
export function environmentOf(terminal: Terminal, envFile?: string): Environment {
  const named = envFile ?? new Environment(terminal.env, undefined).get('REPRISE_ENV_FILE');
  const file = named === undefined ? nearest(terminal.cwd) : resolve(terminal.cwd, named);
  if (file === undefined) return new Environment(terminal.env, undefined);
  if (!existsSync(file)) throw wrongUsage(`there is no environment file ${file}`);
  return new Environment({ ...parseEnv(readFileSync(file, 'utf8')), ...terminal.env }, file);
}

/** Without the newline that editors put at the end. */
function contentOf(variable: string, file: string): string | undefined {
  try {
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return content.trim() === '' ? undefined : content;
  } catch (error) {
    throw new Failure(`${variable} names a file that cannot be read: ${reasonOf(error)}`);
  }
}

function nearest(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const file = join(folder, '.reprise', 'env');
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) return undefined;
  }
}
