import { readFileSync } from 'node:fs';
import type { EnvVariable } from './env.decorator';

/** What a variable holds; undefined where it is unset. `problem` says, in one line, why it cannot be told. */
export interface VariableText {
  readonly text?: string | undefined;
  readonly problem?: string;
}

/**
 * The text of a variable. A secret may stand in a file instead, which `NAME_FILE` names: that is how orchestrators hand secrets out, and neither
 * `docker inspect` nor the environment of a child process shows it. The newline that editors put at the end of the file is not part of it.
 */
export function textOf(variable: EnvVariable, env: NodeJS.ProcessEnv): VariableText {
  const text = nonEmpty(env[variable.name]);
  const fileVariable = `${variable.name}_FILE`;
  const file = variable.secret === true ? nonEmpty(env[fileVariable]) : undefined;
  if (file === undefined) return { text };
  if (text !== undefined) return { problem: `${variable.name} and ${fileVariable} are both set: which of them is meant?` };
  try {
    const content = nonEmpty(readFileSync(file, 'utf8').replace(/\r?\n$/, ''));
    return content === undefined ? { problem: `${fileVariable} names an empty file (${file})` } : { text: content };
  } catch (error) {
    return { problem: `${fileVariable} names a file that cannot be read: ${(error as Error).message}` };
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}
