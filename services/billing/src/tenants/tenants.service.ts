import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import {
  CommandAccepted,
  CommandRefused,
  type RefusalBody,
  SENDER_UNKNOWN,
  SetTenantPosture,
  TenantPostureChanged,
  type TenantView,
  refusal,
  serviceRequester,
} from '@reprise/contracts';
import { Inbox, type MessageContext, Outbox, type OutgoingMessage, RefusedError } from '@reprise/messaging';
import { Clock } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { differs, mayAdd, type Tenant, withPosture } from './tenant.rules';
import { TenantsRepository } from './tenants.repository';

/** One method a use case. */
@Injectable()
export class TenantsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tenants: TenantsRepository,
    private readonly inbox: Inbox,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** @throws RefusedError `tenant_unknown` */
  async posture(orgId: string): Promise<TenantView> {
    const [tenant] = await this.tenants.find([orgId]);
    if (!tenant) throw new RefusedError(refusal('tenant_unknown'));
    return viewOf(tenant, this.clock.now());
  }

  /** In no order, without those that are unknown. */
  async postures(orgIds: string[]): Promise<{ tenants: TenantView[] }> {
    return this.views(await this.tenants.find(orgIds));
  }

  async list(limit: number): Promise<{ tenants: TenantView[] }> {
    return this.views(await this.tenants.list(limit));
  }

  /**
   * Sets the posture; the row, the inbox and the events commit together, so a repeated command changes nothing and gets the first answer.
   * @throws RefusedError `unauthenticated`, `validation_error`, where someone waits for the answer; who does not wait learns it by the event
   */
  async setPosture(command: SetTenantPosture, message: MessageContext): Promise<TenantView | undefined> {
    if (message.userId === undefined) return this.refuse(SENDER_UNKNOWN, command.org_id, message);
    const tenant = withPosture(command.org_id, command.posture, command.trial_ends_at == null ? null : new Date(command.trial_ends_at));
    if ('refusal' in tenant) return this.refuse(tenant.refusal, command.org_id, message);
    return this.inbox.once(this.dataSource, message, async (manager) => {
      const now = this.clock.now();
      const before = await this.tenants.put(manager, tenant, now);
      const view = viewOf(tenant, now);
      const events = [...(differs(before, tenant) ? [changed(before, tenant)] : []), ...(message.replyTo ? [] : [accepted(message, view)])];
      await this.outbox.append(manager, addressed(events, tenant.orgId, message));
      return view;
    });
  }

  private views(tenants: Tenant[]): { tenants: TenantView[] } {
    const now = this.clock.now();
    return { tenants: tenants.map((tenant) => viewOf(tenant, now)) };
  }

  private async refuse(reason: RefusalBody, orgId: string, message: MessageContext): Promise<undefined> {
    if (message.replyTo) throw new RefusedError(reason);
    await this.inbox.once(this.dataSource, message, (manager) =>
      this.outbox.append(manager, addressed([refused(message, reason)], orgId, message)),
    );
  }
}

function viewOf(tenant: Tenant, now: Date): TenantView {
  const { orgId, posture, trialEndsAt } = tenant;
  return { org_id: orgId, posture, trial_ends_at: trialEndsAt?.toISOString() ?? null, may_add: mayAdd(tenant, now) };
}

type Event = Pick<OutgoingMessage, 'type' | 'data'>;

function changed(before: Tenant | null, { orgId, posture, trialEndsAt }: Tenant): Event {
  const data: TenantPostureChanged = {
    org_id: orgId,
    previous: before?.posture ?? null,
    posture,
    trial_ends_at: trialEndsAt?.toISOString() ?? null,
  };
  return { type: TenantPostureChanged.type, data };
}

function accepted({ id, type }: MessageContext, view: TenantView): Event {
  const data: CommandAccepted = { command_id: id, command_type: type, answer: { ...view } };
  return { type: CommandAccepted.type, data };
}

function refused({ id, type }: MessageContext, reason: RefusalBody): Event {
  const data: CommandRefused = { command_id: id, command_type: type, ...reason };
  return { type: CommandRefused.type, data };
}

function addressed(events: Event[], orgId: string, message: MessageContext): OutgoingMessage[] {
  const { userId, correlationId } = message;
  const actor = userId === undefined ? undefined : serviceRequester(userId, message.actor);
  return events.map((event) => ({ ...event, orgId, actor, correlationId }));
}
