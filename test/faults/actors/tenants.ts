import { randomBytes } from 'node:crypto';
import type { ProviderView, RoleView } from '@reprise/contracts';
import { ALL_SCOPES, eventually } from '../../support';
import type { Bus } from '../support/bus';
import type { Fleet } from '../support/fleet';
import type { Ledger } from '../support/ledger';
import { must, Rest } from '../support/rest';

/** A tenant of the run: its caller, the role of its workspaces, and a door for whoever changes its posture. */
export class TenantOfRun {
  readonly posture: Posture;
  readonly door = new Door();
  roleId = '';

  private constructor(
    readonly org: string,
    readonly rest: Rest,
    bus: Bus,
    ledger: Ledger,
  ) {
    this.posture = new Posture(org, bus, ledger);
  }

  static async make(fleet: Fleet, bus: Bus, ledger: Ledger): Promise<TenantOfRun> {
    const org = `org-${randomBytes(5).toString('hex')}`;
    const exp = Math.floor(Date.now() / 1000) + 24 * 3600;
    const token = fleet.issuer.token({ org, sub: 'alice', permissions: ALL_SCOPES, claims: { exp } });
    const tenant = new TenantOfRun(org, new Rest(fleet.apiUrl, org, token, ledger), bus, ledger);
    await tenant.posture.set('active');
    const provider = must(201, await tenant.rest.post<ProviderView>('/v1/providers', { name: 'none', kind: 'none' }));
    const role = { name: 'shell', provider_id: provider.id, command: ['sh'], task_timeout_seconds: 3600 };
    tenant.roleId = must(201, await tenant.rest.post<RoleView>('/v1/agent-roles', role)).id;
    return tenant;
  }
}

/** A tenant's billing posture, set as the billing department's system would: by a command. */
class Posture {
  constructor(
    private readonly org: string,
    private readonly bus: Bus,
    private readonly ledger: Ledger,
  ) {}

  set(posture: 'active' | 'past_due'): Promise<void> {
    return this.ledger.waits.during(`${this.org}: the posture ${posture}`, () => this.untilSet(posture));
  }

  private async untilSet(posture: 'active' | 'past_due'): Promise<void> {
    const data = { org_id: this.org, posture, trial_ends_at: null };
    await eventually(
      async () => {
        const told = await this.bus.outcome(await this.bus.command('reprise.tenant.set-posture.v1', this.org, data), 30_000);
        if (told.code) throw new Error(`the posture was refused: ${told.code}`);
      },
      { within: 240_000 },
    );
  }
}

/** Many may be inside at once, or one alone. Whoever wants to be alone keeps newcomers out, so that he is not kept waiting for ever. */
export class Door {
  private inside = 0;
  private alone = false;
  private readonly waiting: (() => void)[] = [];
  private wantAlone = 0;

  async together<T>(work: () => Promise<T>): Promise<T> {
    while (this.alone || this.wantAlone > 0) await this.turn();
    this.inside++;
    try {
      return await work();
    } finally {
      this.inside--;
      this.wake();
    }
  }

  async byItself<T>(work: () => Promise<T>): Promise<T> {
    this.wantAlone++;
    while (this.alone || this.inside > 0) await this.turn();
    this.wantAlone--;
    this.alone = true;
    try {
      return await work();
    } finally {
      this.alone = false;
      this.wake();
    }
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
