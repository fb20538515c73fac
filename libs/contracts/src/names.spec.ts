import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { Caller } from './messages/message';
import { isName, isOrgId, isSubject } from './names';

const CONTROL = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i)].map((code) => String.fromCharCode(code));
const UNFIT = [...CONTROL, '\ud800', '\udbff', '\udc00', '\udfff', '\u2028', '\u2029'];

/** As the `caller.sub` of a message. */
const isTakenInMessages = (sub: unknown) => validateSync(plainToInstance(Caller, { sub, own_only: false })).length === 0;

describe('the subject of a caller', () => {
  it.each([
    'alice',
    'auth0|5f7c8ec7c33c6c004bbafe82',
    'https://issuer.example/users/7',
    'Zoë Ωμέγα 李',
    '😀',
    ' ',
    'a'.repeat(255),
    'services:x',
    'my-service:x',
    'a service:x',
    'keys',
    '\u200d',
  ])('may be %j, in a token and in a message', (sub) => {
    expect([isSubject(sub), isTakenInMessages(sub)]).toEqual([true, true]);
  });

  it.each([
    ['', 'nothing'],
    ['a'.repeat(256), 'too long'],
    ['😀'.repeat(128), 'too long in UTF-16'],
    ...['service:', 'service:reprise_publisher', 'Service:x', 'reprise:', 'reprise:pod-lost', 'REPRISE:x', 'key:', 'key:k1'].map((own) => [
      own,
      own,
    ]),
    ...UNFIT.flatMap((bad) => [bad, `a${bad}`, `${bad}a`, `a${bad}b`].map((sub) => [sub, JSON.stringify(sub)])),
  ])('is never %j (%s), in a token or in a message', (sub) => {
    expect([isSubject(sub), isTakenInMessages(sub)]).toEqual([false, false]);
  });

  it.each([undefined, null, 7, true, {}, [], ['alice'], { toString: () => 'alice' }])('is a text, not %p', (sub) => {
    expect([isSubject(sub), isName(sub), isTakenInMessages(sub)]).toEqual([false, false, false]);
  });
});

describe('the id of an org', () => {
  it.each(['acme', 'A', '0', 'a.b-c_d', 'a'.repeat(128)])('may be %j', (id) => expect(isOrgId(id)).toBe(true));

  it.each([
    '',
    'a'.repeat(129),
    '.a',
    '-a',
    '_a',
    'a b',
    'a/b',
    'a:b',
    'service:x',
    'é',
    '😀',
    ...UNFIT.flatMap((bad) => [bad, `a${bad}`]),
    undefined,
    null,
    7,
    ['acme'],
  ])('is never %j', (id) => expect(isOrgId(id)).toBe(false));
});
