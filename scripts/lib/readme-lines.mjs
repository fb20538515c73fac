// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { ROOT } from './state.mjs';

/**
 * The commands of the README between the comments `<!-- name -->` and `<!-- /name -->`: what a test runs is what a reader pastes.
 * @param {string} name
 */
export function readmeLines(name) {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, part = ''] = text.split(`<!-- ${name} -->`);
  const lines = /```sh\n([\s\S]*?)```/.exec(part.split(`<!-- /${name} -->`)[0] ?? '')?.[1];
  if (!lines) throw new Failure(`README.md has no commands marked ${name}`);
  return lines;
}
