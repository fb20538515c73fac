import { newId } from '@reprise/contracts';
import { fingerprintOf, identityOf, storable, withoutParticulars } from './fingerprint';
import { afterDeath } from './letter.rules';

const message = { queue: 'q', messageId: 'm', type: 't', orgId: 'acme', subject: 'ws', actor: 'alice', body: Buffer.from('{}') };

describe('a dead letter', () => {
  it('is the same for two copies of one message, and another one where anything of it differs', () => {
    expect(identityOf({ ...message })).toEqual(identityOf(message));
    for (const other of [{ queue: 'r' }, { messageId: 'n' }, { type: undefined }, { orgId: 'b' }, { body: Buffer.from('{ }') }]) {
      expect(identityOf({ ...message, ...other })).not.toEqual(identityOf(message));
    }
  });

  it('is of one group with those that differ only in ids, times, numbers and quoted text', () => {
    const of = (id: string, n: number) => fingerprintOf('t', 'q', 'invalid', `Error: ${id} "${n}" at ${n} of 2026-01-0${n}T10:00:00Z`);
    expect(of(newId('workspace'), 1)).toBe(of(newId('workspace'), 2));
    expect(of(newId('workspace'), 1)).not.toBe(fingerprintOf('t', 'q', 'invalid', 'Error: something else'));
    expect(withoutParticulars('The body is not JSON: at position 17')).toBe('The body is not JSON: at position <n>');
  });

  it.each([
    ['open', false, 'open'],
    ['replayed', false, 'failed_again'],
    ['replaying', true, 'failed_again'],
    ['replaying', false, 'replaying'],
    ['failed_again', true, 'failed_again'],
    ['discarded', false, 'open'],
  ] as const)('that is %s (a replayed copy: %s) and whose message dies once more is %s', (status, sentAgain, next) => {
    expect(afterDeath(status, sentAgain)).toBe(next);
  });

  it('is stored whatever text it brings', () => {
    expect(storable('a\0b\ud800c😀')).toBe('a\uFFFDb\uFFFDc😀');
    expect(storable('x'.repeat(300))).toHaveLength(255);
    expect(storable('x'.repeat(254) + '😀')).toBe(`${'x'.repeat(254)}\uFFFD`);
    expect(storable(undefined)).toBeNull();
  });
});
