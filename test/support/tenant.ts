import { randomUUID } from 'node:crypto';
import { Caller } from './caller';
import type { Stack } from './stack';
import { ALL_SCOPES } from './tokens';

/** A tenant of a stack. Make one for each scenario: nothing of another one is then in its way. */
export class Tenant {
  constructor(
    private readonly stack: Stack,
    readonly org: string,
  ) {}

  /** Someone of this tenant, with a token for these scopes. */
  as(sub: string, permissions: readonly string[] = ALL_SCOPES): Caller {
    return new Caller(this.stack, this.org, sub, this.stack.token({ org: this.org, sub, permissions }));
  }

  /** Someone who may do everything that a tenant's token can allow. */
  get alice(): Caller {
    return this.as('alice');
  }

  /** Sets the billing posture and waits until it is in force. */
  async posture(posture: string, trialEndsAt: Date | null = null): Promise<void> {
    const reply = await this.stack.publisher.ask({
      type: 'reprise.tenant.set-posture.v1',
      data: { org_id: this.org, posture, trial_ends_at: trialEndsAt?.toISOString() ?? null },
      id: randomUUID(),
    });
    expect(reply).toMatchObject({ status: 'done', value: { org_id: this.org, posture } });
  }
}
