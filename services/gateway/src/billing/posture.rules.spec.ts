import { refusalFor } from './posture.rules';

describe('why a tenant may not add', () => {
  it('is nothing where billing says that it may', () => {
    expect(refusalFor({ org_id: 'acme', posture: 'trial', trial_ends_at: '2099-01-01T00:00:00.000Z', may_add: true })).toBeNull();
  });

  it.each([
    ['past_due', null, { posture: 'past_due' }],
    ['decommissioning', null, { posture: 'decommissioning' }],
    ['trial', '2026-01-01T00:00:00.000Z', { posture: 'trial', trial_ends_at: '2026-01-01T00:00:00.000Z' }],
  ] as const)('is its posture %s', (posture, trial_ends_at, details) => {
    const refused = refusalFor({ org_id: 'acme', posture, trial_ends_at, may_add: false });
    expect(refused).toMatchObject({ code: 'billing_inactive', details });
  });
});
