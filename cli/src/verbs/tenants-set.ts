import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { POSTURES, type Posture, SetTenantPosture, type TenantView } from '@reprise/contracts';
import { withRequests } from '../broker/requests';
import { environmentOf } from '../environment';
import { wrongUsage } from '../failure';
import { answer, type Terminal } from '../terminal';

interface Options {
  posture: Posture;
  trialEndsAt?: string;
  json?: true;
  envFile?: string;
}

/** `reprise tenants set`: the command to billing, with its answer. */
export function tenantsSetVerb(terminal: Terminal): Command {
  return new Command('set')
    .description('Set the billing posture of a tenant; makes the tenant where it is new.')
    .addArgument(new Argument('<org>', 'the organization'))
    .addOption(new Option('--posture <posture>', 'what it is from now on').choices(POSTURES).makeOptionMandatory())
    .option('--trial-ends-at <time>', 'with --posture trial: when the trial ends, such as 2030-01-31T00:00:00Z', time)
    .option('--json', 'print the tenant as JSON')
    .action(async (org: string, _, command: Command) => {
      const { posture, trialEndsAt, json, envFile } = command.optsWithGlobals<Options>();
      if (posture === 'trial' && trialEndsAt === undefined) throw wrongUsage('--posture trial needs --trial-ends-at');
      if (posture !== 'trial' && trialEndsAt !== undefined) throw wrongUsage('--trial-ends-at goes with --posture trial alone');
      const data = { org_id: org, posture, trial_ends_at: trialEndsAt ?? null };
      const tenant = await withRequests(environmentOf(terminal, envFile), (ask) => ask<TenantView>(SetTenantPosture, data));
      answer(terminal, json === true, tenant, [sentence(tenant)]);
    });
}

/** @throws InvalidArgumentError */
export function time(text: string): string {
  const moment = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(moment.getTime())) {
    throw new InvalidArgumentError('It must be a date or a time like 2030-01-31 or 2030-01-31T12:00:00Z.');
  }
  return moment.toISOString();
}

function sentence({ org_id, posture, trial_ends_at, may_add }: TenantView): string {
  const until = trial_ends_at === null ? '' : ` until ${trial_ends_at}`;
  return `${org_id} is ${posture}${until}: it may ${may_add ? '' : 'not '}add`;
}
