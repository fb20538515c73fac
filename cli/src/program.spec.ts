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

  it('explains itself on request: exit code 0', async () => {
    const { code, out, err } = await record(['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const verb of ['token', 'tenants', 'status', 'setup', 'seed', 'dead', 'workspaces', 'Exit codes']) expect(out).toContain(verb);
  });
});
