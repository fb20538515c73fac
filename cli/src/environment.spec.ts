import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentOf } from './environment';

const folder = mkdtempSync(join(tmpdir(), 'reprise-env-'));
const below = join(folder, 'a', 'b');
mkdirSync(below, { recursive: true });
mkdirSync(join(folder, '.reprise'));
writeFileSync(join(folder, '.reprise', 'env'), "# a comment\nAMQP_URL=amqp://near\nQUOTED='two words'\nEMPTY=\n");
writeFileSync(join(folder, 'other'), 'AMQP_URL=amqp://other\n');

const terminal = (env: NodeJS.ProcessEnv, cwd = below) => ({ env, cwd, out: () => undefined, err: () => undefined });

afterAll(() => rmSync(folder, { recursive: true }));

describe('the settings of the instance', () => {
  it('come from the nearest .reprise/env, looked for upwards', () => {
    const environment = environmentOf(terminal({}));
    expect(environment.get('AMQP_URL')).toBe('amqp://near');
    expect(environment.get('QUOTED')).toBe('two words');
  });

  it('come from the file that REPRISE_ENV_FILE names, and sooner from the one on the command line', () => {
    expect(environmentOf(terminal({ REPRISE_ENV_FILE: join(folder, 'other') })).get('AMQP_URL')).toBe('amqp://other');
    const both = environmentOf(terminal({ REPRISE_ENV_FILE: '/nowhere' }, folder), 'other');
    expect(both.get('AMQP_URL')).toBe('amqp://other');
  });

  it('give way to the real environment', () => {
    expect(environmentOf(terminal({ AMQP_URL: 'amqp://real' })).get('AMQP_URL')).toBe('amqp://real');
  });

  it('count as unset where they are empty', () => {
    const environment = environmentOf(terminal({}));
    expect(environment.get('EMPTY')).toBeUndefined();
    expect(() => environment.need('EMPTY', 'what is empty')).toThrow(/EMPTY \(what is empty\).*\.reprise\/env/);
  });

  it('may stand in a file of their own, as secrets do where containers run', () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'a password\n');
    expect(environmentOf(terminal({ POD_TOKEN_SECRET_FILE: secret })).get('POD_TOKEN_SECRET')).toBe('a password');
    expect(() => environmentOf(terminal({ POD_TOKEN_SECRET_FILE: '/nowhere' })).get('POD_TOKEN_SECRET')).toThrow(
      'POD_TOKEN_SECRET_FILE names a file that cannot be read: ENOENT',
    );
  });

  it('must exist where they were named', () => {
    expect(() => environmentOf(terminal({ REPRISE_ENV_FILE: 'missing' }))).toThrow(join(below, 'missing'));
  });
});
