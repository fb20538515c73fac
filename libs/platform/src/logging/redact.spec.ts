import { redactLine, redactText } from './redact';

describe('redactText', () => {
  it.each([
    ['a URL with a user and a password', 'connect amqp://user:hidden@host:5672/v', 'connect amqp://[redacted]@host:5672/v'],
    ['a password that holds an @', 'postgres://u:hid@den@h/db', 'postgres://[redacted]@h/db'],
    ['a bearer token', 'sent Bearer abcdef.ghijkl-123', 'sent Bearer [redacted]'],
    ['a JSON web token', 'token eyJhbGciOiJFUzI1.eyJzdWIiOiJhbGlj.c2lnbmF0dXJl!', 'token [redacted]!'],
  ])('removes %s', (_, text, safe) => {
    expect(redactText(text)).toBe(safe);
  });

  it.each(['https://example.org/a@b', 'GET /v1/workspaces?x=1', 'a bearer of news', 'mail me@example.org'])('leaves %s alone', (text) => {
    expect(redactText(text)).toBe(text);
  });
});

describe('redactLine', () => {
  it('removes secrets at any depth, whatever they hold, and leaves valid JSON', () => {
    const line = JSON.stringify({
      msg: 'asked http://u:hidden@h/',
      req: { headers: { Authorization: 'Custom hidden', 'set-cookie': ['hidden', 'hidden'] } },
      a: [{ b: { c: { password: 'hid"den\\' } } }],
      token: 123456,
      token_count: 7,
    });
    const safe = redactLine(line);
    expect(safe).not.toContain('hid');
    expect(safe).not.toContain('123456');
    expect(JSON.parse(safe)).toMatchObject({ a: [{ b: { c: { password: '[redacted]' } } }], token_count: 7 });
  });
});
