import {
  ChangeProvider,
  ChangeRole,
  CreateProvider,
  CreateRole,
  CreateWorkspace,
  GetTenantPosture,
  RestartWorkspace,
  ResumeWorkspace,
  SubmitTask,
  TenantView,
  UnarchiveProvider,
  UnarchiveRole,
  UnarchiveWorkspace,
  refusal,
} from '@reprise/contracts';
import { type Reply, RefusedError, Requester, RequestFailedError, RetryLater } from '@reprise/messaging';
import { Injectable } from '@nestjs/common';
import type { Command, Common } from '../commands/command';
import { Billing } from './billing';

/** The commands that add or bring up; all others wind down and are never refused for billing. */
const ADDING: ReadonlySet<string> = new Set(
  [
    CreateWorkspace,
    RestartWorkspace,
    ResumeWorkspace,
    UnarchiveWorkspace,
    SubmitTask,
    CreateRole,
    ChangeRole,
    UnarchiveRole,
    CreateProvider,
    ChangeProvider,
    UnarchiveProvider,
  ].map((m) => m.type),
);

const DEADLINE_MS = 3_000;

/** Asks billing for commands that did not come through the gateway, so that an internal publisher cannot add for a tenant who may not. */
@Injectable()
export class PostureService {
  constructor(
    private readonly requester: Requester,
    private readonly billing: Billing,
  ) {}

  /**
   * Returns where the command may go on.
   * @throws RefusedError `billing_inactive`, `tenant_unknown`
   * @throws WaitFor where billing does not answer: the command waits for as long, and nothing is decided
   */
  async mustAllow(command: Command<Common>): Promise<void> {
    if (!ADDING.has(command.type)) return;
    const reply = await this.ask(command.orgId);
    if (reply.status === 'refused') throw new RefusedError(reply.refusal);
    const { may_add: mayAdd, posture, trial_ends_at: trialEndsAt } = reply.value;
    if (!mayAdd) throw new RefusedError(refusal('billing_inactive', { posture, ...(trialEndsAt ? { trial_ends_at: trialEndsAt } : {}) }));
  }

  private ask(orgId: string): Promise<Reply<TenantView>> {
    const query: GetTenantPosture = { org_id: orgId };
    return this.billing.ask(() =>
      this.requester
        .request<TenantView>({ type: GetTenantPosture.type, data: query, orgId }, { deadlineMs: DEADLINE_MS, resendEveryMs: 1_000 })
        .catch((error: unknown) => {
          // A billing that answers, but not this: another version of it may.
          if (error instanceof RequestFailedError && error.reason !== 'unavailable')
            throw new RetryLater('Billing does not answer', { cause: error });
          throw error;
        }),
    );
  }
}
