import { EXAMPLE, GetTenantPosture, GetTenantPostures, RestartWorkspace } from '@reprise/contracts';
import { ALL, type Answered, Fail, GatewayUnderTest, Refuse, SILENCE, waitFor } from './support';

const ACCEPTED = { status: 'restarting', operation_id: EXAMPLE.operation };
const seen = ({ status, body }: Answered) => [status, body.error?.code ?? body];

let gateway: GatewayUnderTest;
beforeAll(async () => {
  gateway = await GatewayUnderTest.start({ commandTimeoutMs: 20_000, queryTimeoutMs: 5_000, resendEveryMs: 1_000 });
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  await gateway.others.answer(RestartWorkspace, () => ACCEPTED);
  gateway.others.forget();
});

describe('what comes while billing is asked', () => {
  const acme = { org_id: 'acme', posture: 'active', trial_ends_at: null, may_add: true };
  const debtor = { org_id: 'debtor', posture: 'past_due', trial_ends_at: null, may_add: false };
  const known = new Map([acme, debtor].map((tenant) => [tenant.org_id, tenant]));
  const EXPECTED = { acme: [202, ACCEPTED], debtor: [423, 'billing_inactive'], stranger: [403, 'tenant_unknown'] };
  const orgIds = Array.from({ length: 30 }, (_, at) => (['acme', 'debtor', 'stranger'] as const)[at % 3]!);
  const restartOf = (org_id: string) =>
    gateway.call('POST', `/v1/workspaces/${EXAMPLE.workspace}/restart`, { token: gateway.issuer.token(ALL, { org_id }) });

  /** Sends many while a question is under way, which is answered when it is put once more. */
  async function rush(): Promise<Answered[]> {
    await gateway.others.answer(GetTenantPosture, ({ data }) => {
      if (gateway.others.of(GetTenantPosture).length < 2) return SILENCE;
      return known.get(data.org_id as string) ?? new Refuse('tenant_unknown');
    });
    const first = restartOf('acme');
    await waitFor(() => gateway.others.of(GetTenantPosture).length > 0, 'the question that is not answered yet');
    const answered = await Promise.all(orgIds.map(restartOf));
    expect(seen(await first)).toEqual([202, ACCEPTED]);
    return answered;
  }

  it('is asked of it together, and each tenant gets its own answer', async () => {
    await gateway.others.answer(GetTenantPostures, ({ data }) => ({
      tenants: (data.org_ids as string[]).flatMap((orgId) => known.get(orgId) ?? []),
    }));
    expect((await rush()).map(seen)).toEqual(orgIds.map((orgId) => EXPECTED[orgId]));
    expect(gateway.others.of(GetTenantPostures).length).toBeGreaterThan(0);
  });

  it.each([
    ['knows no such question', () => gateway.others.answer(GetTenantPostures, () => new Fail('no_handler'))],
    ['has no queue for it', () => gateway.others.leave(GetTenantPostures)],
  ])('is asked one by one of a billing that %s', async (_, prepare) => {
    await prepare();
    expect((await rush()).map(seen)).toEqual(orgIds.map((orgId) => EXPECTED[orgId]));
  });

  it('gets 503 where the question is not answered, and nothing goes on to lifecycle for it', async () => {
    await gateway.others.answer(GetTenantPostures, () => SILENCE);
    const answered = await rush();
    const unanswered = gateway.others.of(GetTenantPostures).length;
    expect(unanswered).toBeGreaterThan(0);
    const refused = answered.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(1);
    const accepted = answered.filter(({ status }) => status === 202);
    // Each restart that went on was answered; the first of all is one of them.
    expect(gateway.others.of(RestartWorkspace)).toHaveLength(accepted.length + 1);
  });
});
