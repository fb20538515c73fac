import { Failure, written } from './failure';
import { record } from './testing/recorder';

describe('the command line', () => {
  it.each([
    ['an unknown verb', ['frobnicate']],
    ['a missing option', ['tenants', 'set', 'acme']],
    ['a posture that does not exist', ['tenants', 'set', 'acme', '--posture', 'rich']],
    ['a trial without an end', ['tenants', 'set', 'acme', '--posture', 'trial']],
    ['an end without a trial', ['tenants', 'set', 'acme', '--posture', 'active', '--trial-ends-at', '2030-01-01']],
    ['an end that is no time', ['tenants', 'set', 'acme', '--posture', 'trial', '--trial-ends-at', 'tomorrow']],
    ['a stop that does not say that it saves nothing', ['workspaces', 'stop', 'ws_1', '--reason', 'x']],
    ['a stop without a reason', ['workspaces', 'stop', 'ws_1', '--without-snapshot']],
    ['a backup without a folder', ['backup']],
    ['an environment file that does not exist', ['status', '--env-file', '/nowhere/env']],
  ])('%s is wrong usage: exit code 2, one line on standard error', async (_, args) => {
    const { code, out, err } = await record(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^reprise: [^\n]+\n$/);
  });

  it('says which setting is missing: exit code 1', async () => {
    const { code, err } = await record(['tenants', 'list']);
    expect(code).toBe(1);
    expect(err).toMatch(/^reprise: AMQP_URL .*npm start.*\n$/);
  });

  it('says that the broker cannot be reached: exit code 3', async () => {
    const { code, out, err } = await record(['tenants', 'list'], { AMQP_URL: 'amqp://user:hidden@127.0.0.1:1' });
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(/^reprise: the broker at 127\.0\.0\.1:1 cannot be reached: [^\n]+\n$/);
    expect(err).not.toContain('hidden');
  });

  it.each([
    [
      ['tenants', 'list', '--json'],
      { AMQP_URL: 'amqp://user:hidden@127.0.0.1:1' },
      3,
      'unreachable',
      /^the broker at 127\.0\.0\.1:1 cannot be reached/,
    ],
    [['tenants', 'list', '--json'], {}, 1, 'failed', /^AMQP_URL/],
    [['tenants', 'list', '--json', '--wrong'], {}, 2, 'usage', /unknown option '--wrong'/],
  ])('%j fails in JSON where it was to answer in JSON', async (args, env, exit, code, message) => {
    const { code: exited, out, err } = await record(args, env);
    expect({ exited, out }).toEqual({ exited: exit, out: '' });
    expect(err).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(err)).toEqual({ error: { code, message: expect.stringMatching(message) } });
  });

  it('tells the details of a refusal, to a person and to a program', () => {
    const told = { code: 'invalid_state', details: { status: 'stopped', allowed: ['resume', 'archive'] } };
    const failure = new Failure('refused: invalid_state: See details.', 1, told);
    expect(written(failure, false)).toBe(
      'reprise: refused: invalid_state: See details.\n  status: stopped\n  allowed: ["resume","archive"]\n',
    );
    expect(JSON.parse(written(failure, true))).toEqual({ error: { ...told, message: 'refused: invalid_state: See details.' } });
  });

  it('explains itself on request: exit code 0', async () => {
    const { code, out, err } = await record(['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const verb of ['token', 'tenants', 'status', 'setup', 'seed', 'dead', 'workspaces', 'backup', 'restore', 'Exit codes'])
      expect(out).toContain(verb);
  });
});
