import { EXAMPLE, FindIdempotentReply, GetTenantPosture, GetWorkspace, RestartWorkspace, StopWorkspace } from '@reprise/contracts';
import { type Answered, GatewayUnderTest, type Received, Refuse, SILENCE, waitFor } from './support';

const WS = `/v1/workspaces/${EXAMPLE.workspace}`;
const ACCEPTED = { status: 'restarting', operation_id: EXAMPLE.operation };
const posture = (may_add: boolean) => ({ org_id: 'acme', posture: may_add ? 'active' : 'past_due', trial_ends_at: null, may_add });
const seen = ({ status, body }: Answered) => [status, body.error?.code ?? body];

let gateway: GatewayUnderTest;
const restart = (headers: Record<string, string> = {}, query = '') => gateway.call('POST', `${WS}/restart${query}`, { headers });

beforeAll(async () => {
  gateway = await GatewayUnderTest.start({ commandTimeoutMs: 900, queryTimeoutMs: 600, resendEveryMs: 150 });
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  await gateway.others.answer(GetTenantPosture, () => posture(true));
  await gateway.others.answer(RestartWorkspace, () => ACCEPTED);
  await gateway.others.answer(StopWorkspace, () => ({ status: 'stopping', operation_id: EXAMPLE.operation }));
  await gateway.others.answer(GetWorkspace, () => ({ id: EXAMPLE.workspace }));
  gateway.others.forget();
});

describe('a command', () => {
  it('whose reply is lost is sent again under the same id, and answered once', async () => {
    await gateway.others.answer(RestartWorkspace, () => (gateway.others.of(RestartWorkspace).length < 3 ? SILENCE : ACCEPTED));
    expect(seen(await restart())).toEqual([202, ACCEPTED]);
    const ids = gateway.others.of(RestartWorkspace).map(({ id }) => id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  it('that nobody answers ends in 503 with Retry-After, and another request is another message', async () => {
    await gateway.others.answer(RestartWorkspace, () => SILENCE);
    const [first, second] = await Promise.all([restart(), restart()]);
    for (const answered of [first, second]) {
      expect(seen(answered)).toEqual([503, 'unavailable']);
      expect(Number(answered.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(new Set(gateway.others.of(RestartWorkspace).map(({ id }) => id)).size).toBe(2);
  });

  it.each([
    ['workspace_busy', { task_id: EXAMPLE.task }, 409],
    ['invalid_state', { status: 'provisioning' }, 409],
    ['workspace_not_found', undefined, 404],
    ['permission_denied', { required: ['workspace:write'] }, 403],
    ['idempotency_key_reused', undefined, 422],
  ])('that is refused with %s is answered so, details and all', async (code, details, status) => {
    await gateway.others.answer(RestartWorkspace, () => new Refuse(code, details));
    const { body, ...answered } = await restart();
    expect([answered.status, body.error]).toEqual([
      status,
      { code, message: `refused: ${code}`, request_id: expect.any(String), ...(details ? { details } : {}) },
    ]);
  });

  it('that is refused with a code nobody knows is our mistake', async () => {
    await gateway.others.answer(RestartWorkspace, () => new Refuse('because'));
    expect(seen(await restart())).toEqual([500, 'internal_error']);
  });

  it('goes on under the trace that the caller began', async () => {
    const trace = 'a'.repeat(32);
    const traces: (string | undefined)[] = [];
    await gateway.others.answer(RestartWorkspace, ({ traceparent }: Received) => {
      traces.push(traceparent);
      return ACCEPTED;
    });
    await restart({ traceparent: `00-${trace}-${'b'.repeat(16)}-01` });
    await restart();
    expect(traces[0]).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(traces[1]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});

describe('when billing is away', () => {
  beforeEach(() => gateway.others.leave(GetTenantPosture));

  it('what adds gets 503 and nothing changes', async () => {
    const answered = await restart();
    expect(seen(answered)).toEqual([503, 'unavailable']);
    expect(answered.headers.has('retry-after')).toBe(true);
    expect(gateway.others.of(RestartWorkspace)).toEqual([]);
  });

  it('what winds down and what reads goes on', async () => {
    expect((await gateway.call('POST', `${WS}/stop`)).status).toBe(202);
    expect((await gateway.call('GET', WS)).status).toBe(200);
  });

  it('and when it does not answer, the same', async () => {
    await gateway.others.answer(GetTenantPosture, () => SILENCE);
    expect(seen(await restart())).toEqual([503, 'unavailable']);
    expect(gateway.others.of(RestartWorkspace)).toEqual([]);
  });
});

describe('an idempotency key', () => {
  it('goes with the command, with the hash of the request', async () => {
    await restart({ 'idempotency-key': 'order 4711' });
    await restart({ 'idempotency-key': 'order 4711' });
    await restart({ 'idempotency-key': 'order 4711' }, '?force=true');
    const [first, same, other] = gateway.others.of(RestartWorkspace).map(({ data }) => data.idempotency);
    expect(first).toEqual({ key: 'order 4711', request_hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(same).toEqual(first);
    expect(other.request_hash).not.toBe(first.request_hash);
  });

  describe('that was answered before', () => {
    const headers = { 'idempotency-key': 'k' };

    it.each([
      ['billing has since closed', () => posture(false)],
      ['billing cannot be asked', () => SILENCE],
      ['billing no longer knows the tenant', () => new Refuse('tenant_unknown')],
    ])('gets its first answer again although %s', async (_, billing) => {
      await gateway.others.answer(GetTenantPosture, billing);
      await gateway.others.answer(FindIdempotentReply, () => ({ found: true, reply: { status: 'done', value: ACCEPTED } }));
      expect(seen(await restart(headers))).toEqual([202, ACCEPTED]);
      const refusal = { code: 'workspace_busy', message: 'as then', details: { task_id: EXAMPLE.task } };
      await gateway.others.answer(FindIdempotentReply, () => ({ found: true, reply: { status: 'refused', refusal } }));
      const { status, body } = await restart(headers);
      expect([status, body.error]).toMatchObject([409, refusal]);
      expect(gateway.others.of(RestartWorkspace)).toEqual([]);
    });

    it('is asked for with the very hash that the command had', async () => {
      await restart(headers);
      await gateway.others.answer(GetTenantPosture, () => posture(false));
      await gateway.others.answer(FindIdempotentReply, () => ({ found: false }));
      expect(seen(await restart(headers))).toEqual([423, 'billing_inactive']);
      const [command] = gateway.others.of(RestartWorkspace);
      expect(gateway.others.of(FindIdempotentReply)[0]).toMatchObject({
        orgId: 'acme',
        data: { ...command?.data.idempotency, workspace_id: EXAMPLE.workspace, caller: { sub: 'alice', own_only: false } },
      });
    });

    it('with another request has no answer to this one', async () => {
      await gateway.others.answer(GetTenantPosture, () => posture(false));
      await gateway.others.answer(FindIdempotentReply, () => new Refuse('idempotency_key_reused'));
      expect(seen(await restart(headers))).toEqual([423, 'billing_inactive']);
    });

    it('cannot be told from a new one while lifecycle is away', async () => {
      await gateway.others.answer(GetTenantPosture, () => posture(false));
      await gateway.others.answer(FindIdempotentReply, () => SILENCE);
      expect(seen(await restart(headers))).toEqual([503, 'unavailable']);
    });
  });
});

describe('the rate limit', () => {
  let limited: GatewayUnderTest;
  beforeAll(async () => {
    limited = await GatewayUnderTest.start({ rateLimitPerMinute: 5 });
    await limited.others.answer(GetWorkspace, () => ({}));
  });
  afterAll(() => limited.stop());
  const get = (sub: string) => limited.call('GET', WS, { token: limited.issuer.token(['workspace:read'], { sub }) });

  it('is one for each caller, and says when to come again', async () => {
    for (let left = 4; left >= 0; left--) {
      const { status, headers } = await get('alice');
      expect([status, headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')]).toEqual([200, '5', String(left)]);
    }
    const refused = await get('alice');
    expect(seen(refused)).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await get('bob')).status).toBe(200);
  });

  it('holds for an address that sends bad tokens, and for no good one from there', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) statuses.push((await limited.call('GET', WS, { token: 'rubbish' })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect((await get('carol')).status).toBe(200);
  });
});

it('a broker that has gone makes readiness fall, and 503; when it is back, all is as before', async () => {
  const before = await gateway.call('GET', WS);
  expect(before.status).toBe(200);
  await gateway.broker.killConnections('gateway');
  await waitFor(async () => (await gateway.call('GET', WS)).status === 200, 'the gateway to come back');
});
