// @ts-check
import { parseArgs } from 'node:util';
import { Failure, describe } from './failure.mjs';

/**
 * Reads the command line of a script. `--help` prints the usage and ends with 0; what is wrong is told in one line, with the usage, and ends with 2.
 * Nothing has been started then.
 * @template {import('node:util').ParseArgsOptionsConfig} O
 * @template T
 * @param {{ usage: string, options: O, positionals?: boolean, args?: string[] }} known
 * @param {(given: { values: ReturnType<typeof parseArgs<{ options: O }>>['values'], positionals: string[] }) => T} check what is given as the script wants
 *   it; throws a Failure where it is wrong
 * @returns {T}
 */
export function commandLine({ usage, options, positionals: allowPositionals = false, args = process.argv.slice(2) }, check) {
  helpOn(usage, args);
  try {
    return check(/** @type {any} */ (parseArgs({ args, options, allowPositionals })));
  } catch (error) {
    // parseArgs throws TypeErrors, whose messages are for people.
    console.error(`${error instanceof TypeError ? error.message : describe(error)}\n${usage}`);
    process.exit(2);
  }
}

/** Of a script that takes its arguments to another program: prints the usage where it is asked for. @param {string} usage */
export function helpOn(usage, args = process.argv.slice(2)) {
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (!options.includes('--help') && !options.includes('-h')) return;
  console.log(usage);
  process.exit(0);
}
