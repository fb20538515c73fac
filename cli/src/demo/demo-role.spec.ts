import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_COMMAND } from './demo-role';

const workspace = mkdtempSync(join(tmpdir(), 'reprise-demo-'));
const [program = '', ...args] = DEMO_COMMAND;

function say(message: string): string {
  return execFileSync(program, args, { cwd: workspace, input: message, encoding: 'utf8' });
}

afterAll(() => rmSync(workspace, { recursive: true }));

it('the demo role remembers what it was told in the files of its workspace', () => {
  expect(say('My name is Ada')).toBe('I remember 1 message(s). The first was: My name is Ada\n');
  expect(say("it's $HOME, `id` and\ntwo lines")).toBe('I remember 2 message(s). The first was: My name is Ada\n');
  const started = Date.now();
  expect(say('now wait 1\n')).toBe('I remember 3 message(s). The first was: My name is Ada\n');
  expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
  expect(readFileSync(join(workspace, 'conversation.txt'), 'utf8').split('\n')).toEqual([
    'My name is Ada',
    "it's $HOME, `id` and two lines",
    'now wait 1 ',
    '',
  ]);
});
