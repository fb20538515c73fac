import { POSTURES } from '@reprise/contracts';
import { differs, mayAdd, withPosture } from './tenant.rules';

const noon = new Date('2026-05-01T12:00:00.000Z');
const justAfter = new Date(noon.getTime() + 1);

describe('who may add', () => {
  it.each([
    ['an active tenant may', 'active', null, true],
    ['a tenant in a trial may', 'trial', justAfter, true],
    ['a tenant whose trial ends this moment may not', 'trial', noon, false],
    ['a tenant that has not paid may not', 'past_due', null, false],
    ['a tenant that is leaving may not', 'decommissioning', null, false],
  ] as const)('%s', (_, posture, trialEndsAt, expected) => {
    expect(mayAdd({ orgId: 'acme', posture, trialEndsAt }, noon)).toBe(expected);
  });
});

describe('setting a posture', () => {
  it.each(POSTURES)('%s: a trial has an end, and nothing else has one', (posture) => {
    const [right, wrong] = posture === 'trial' ? [noon, null] : [null, noon];
    expect(withPosture('acme', posture, right)).toEqual({ orgId: 'acme', posture, trialEndsAt: right });
    expect(withPosture('acme', posture, wrong)).toMatchObject({
      refusal: { code: 'validation_error', details: { fields: { trial_ends_at: expect.any(String) } } },
    });
  });

  it('is news where the tenant is new, the posture is another, or the trial ends at another time', () => {
    const trial = { orgId: 'acme', posture: 'trial', trialEndsAt: noon } as const;
    expect(differs(null, trial)).toBe(true);
    expect(differs({ orgId: 'acme', posture: 'active', trialEndsAt: null }, trial)).toBe(true);
    expect(differs({ ...trial, trialEndsAt: justAfter }, trial)).toBe(true);
    expect(differs({ ...trial, trialEndsAt: new Date(noon) }, trial)).toBe(false);
  });
});
