import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OPERATION_STATUSES, TASK_STATUSES, WORKSPACE_STATUSES } from '@reprise/contracts';

const ROOT = resolve(__dirname, '../../../..');
/** The rows of the tables whose last column names a test. */
const rows = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')
  .split('\n\n')
  .map((part) => part.split('\n'))
  .filter(([header = '']) => header.endsWith('| test |'))
  .flatMap((table) => table.slice(2).map((line) => line.slice(1, -1).split('|')))
  .map((cells) => cells.map((cell) => cell.trim()));

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist'].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return entry.name.endsWith('.spec.ts') ? [readFileSync(path, 'utf8')] : [];
  });
}

const tests = ['lifecycle', 'provisioner'].flatMap((service) => sourcesIn(join(ROOT, 'services', service))).join('\n');

it.each([
  ['workspace', WORKSPACE_STATUSES],
  ['operation', OPERATION_STATUSES],
  ['task', TASK_STATUSES],
  ['job', ['waiting', 'running', 'succeeded', 'failed']],
] as const)('every status of a %s has its way out on the page', (what, statuses) => {
  expect(rows.filter(([first]) => first === what).map(([, status]) => status)).toEqual(statuses.map((status) => `\`${status}\``));
});

it.each(rows.map((cells) => [cells.at(-1)!.replaceAll('`', '')]))('the page names a test that there is: %s', (name) => {
  // Not all that was searched, where it is missing.
  expect(tests.includes(name)).toBe(true);
});
