import { Command } from 'commander';
import { ListTenants, type TenantView } from '@reprise/contracts';
import { withRequests } from '../broker/requests';
import { environmentOf } from '../environment';
import { answer, table, type Terminal } from '../terminal';

const MOST = 10_000;

/** `reprise tenants list`. */
export function tenantsListVerb(terminal: Terminal): Command {
  return new Command('list')
    .description('List the tenants and their billing postures.')
    .option('--json', 'print { tenants } as JSON')
    .action(async (_, command: Command) => {
      const { json, envFile } = command.optsWithGlobals<{ json?: true; envFile?: string }>();
      const environment = environmentOf(terminal, envFile);
      const { tenants } = await withRequests(environment, (ask) => ask<{ tenants: TenantView[] }>(ListTenants, { limit: MOST }));
      const rows = tenants.map((t) => [t.org_id, t.posture, t.trial_ends_at ?? '-', t.may_add ? 'yes' : 'no']);
      answer(terminal, json === true, { tenants }, table(['TENANT', 'POSTURE', 'TRIAL ENDS', 'MAY ADD'], rows));
    });
}
