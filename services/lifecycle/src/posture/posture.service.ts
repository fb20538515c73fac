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
import { type Reply, RefusedError, Requester, RetryLater } from '@reprise/messaging';
import { Injectable } from '@nestjs/common';
import type { Command, Common } from '../commands/command';

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
  constructor(private readonly requester: Requester) {}

  /**
   * Returns where the command may go on.
   * @throws RefusedError `billing_inactive`, `tenant_unknown`
   * @throws RetryLater where billing does not answer: the command waits, nothing is decided
   */
  async mustAllow(command: Command<Common>): Promise<void> {
    if (!ADDING.has(command.type)) return;
    const reply = await this.ask(command.orgId);
    if (reply.status === 'refused') throw new RefusedError(reply.refusal);
    const { may_add: mayAdd, posture, trial_ends_at: trialEndsAt } = reply.value;
    if (!mayAdd) throw new RefusedError(refusal('billing_inactive', { posture, ...(trialEndsAt ? { trial_ends_at: trialEndsAt } : {}) }));
  }

  private async ask(orgId: string): Promise<Reply<TenantView>> {
    try {
      const query: GetTenantPosture = { org_id: orgId };
      return await this.requester.request<TenantView>(
        { type: GetTenantPosture.type, data: query, orgId },
        { deadlineMs: DEADLINE_MS, resendEveryMs: 1_000 },
      );
    } catch (cause) {
      throw new RetryLater('Billing does not answer', { cause });
    }
  }
}
