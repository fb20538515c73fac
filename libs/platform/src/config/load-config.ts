import type { ConfigClass } from './env.decorator';
import { ConfigError, parseConfig } from './parse-config';

/**
 * The process's config, read once at its start. Where the environment is wrong, says each problem in one line on
 * standard error (`lifecycle: HTTP_PORT must be …`) and ends the process with exit code 1.
 * @param name whose problem it is; the class's name without "Config" where not given
 */
export function loadConfig<T extends object>(Class: ConfigClass<T>, env: NodeJS.ProcessEnv = process.env, name: string = nameOf(Class)): T {
  try {
    return parseConfig(Class, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) process.stderr.write(`${name}: ${problem}\n`);
    return process.exit(1);
  }
}

function nameOf(Class: ConfigClass): string {
  return Class.name
    .replace(/Config$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase();
}
