import { Command } from 'commander';
import { GetTenantPosture, SetTenantPosture, type TenantView } from '@reprise/contracts';
import { type Ask, Refused, withRequests } from '../broker/requests';
import { DEMO, DEMO_COMMAND } from '../demo/demo-role';
import { Gateway } from '../rest/gateway';
import { environmentOf } from '../environment';
import { EXIT, Failure, type Told } from '../failure';
import { answer, type Terminal } from '../terminal';
import { signToken } from '../tokens/sign-token';

type Made = 'made' | 'kept';

interface Named {
  id: string;
  name: string;
}

/** `reprise seed`: the tenant, provider and role of a fresh embedded instance, made through the public API. What exists stays as it is. */
export function seedVerb(terminal: Terminal): Command {
  return new Command('seed')
    .description(`Make the tenant ${DEMO.tenant} with a provider and a role named ${DEMO.name} to try (embedded mode only).`)
    .option('--json', 'print what was made and what was there already')
    .action(async (_, command: Command) => {
      const { json, envFile } = command.optsWithGlobals<{ json?: true; envFile?: string }>();
      const environment = environmentOf(terminal, envFile);
      const url = environment.need('GATEWAY_URL', 'the address of the gateway');
      const token = signToken(environment, { org: DEMO.tenant, sub: 'reprise-seed', permissions: ['caps:write'], ttlSeconds: 300 });
      const tenant = await withRequests(environment, seedTenant);
      const gateway = new Gateway(url, token);
      const provider = await ensure(gateway, '/v1/providers', 'providers', { name: DEMO.name, kind: 'none', config: {} });
      const role = await ensure(gateway, '/v1/agent-roles', 'roles', {
        name: DEMO.name,
        display_name: DEMO.displayName,
        provider_id: provider.id,
        command: DEMO_COMMAND,
      });
      const outcome = { tenant, provider: provider.made, role: role.made };
      answer(
        terminal,
        json === true,
        outcome,
        Object.entries(outcome).map(([what, made]) => `${what} ${what === 'tenant' ? DEMO.tenant : DEMO.name}: ${made}`),
      );
    });
}

/** A tenant that is there keeps its posture: someone may have set it to try what happens. */
async function seedTenant(ask: Ask): Promise<Made> {
  try {
    await ask<TenantView>(GetTenantPosture, { org_id: DEMO.tenant });
    return 'kept';
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== 'tenant_unknown') throw error;
    await ask<TenantView>(SetTenantPosture, { org_id: DEMO.tenant, posture: 'active', trial_ends_at: null });
    return 'made';
  }
}

/** Looks before it makes, so that a second seed needs nobody's leave; another seed may still be quicker, which `name_taken` tells. */
async function ensure(
  gateway: Gateway,
  path: string,
  list: string,
  body: { name: string; [field: string]: unknown },
): Promise<{ id: string; made: Made }> {
  const before = await find(gateway, path, list, body.name);
  if (before) return { id: before, made: 'kept' };
  const { status, body: answered } = await gateway.post<Named>(path, body);
  if (status === 201) return { id: answered.id, made: 'made' };
  const after = answered.error?.code === 'name_taken' ? await find(gateway, path, list, body.name) : undefined;
  if (after === undefined) throw refused(path, status, answered.error);
  return { id: after, made: 'kept' };
}

async function find(gateway: Gateway, path: string, list: string, name: string): Promise<string | undefined> {
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '100', ...(cursor ? { cursor } : {}) });
    const { status, body } = await gateway.get<Record<string, unknown>>(`${path}?${query.toString()}`);
    if (status !== 200) throw refused(path, status, body.error);
    const found = (body[list] as Named[]).find((one) => one.name === name);
    if (found) return found.id;
    cursor = body.cursor as string | undefined;
  } while (cursor);
  return undefined;
}

function refused(path: string, status: number, error?: Told & { message: string }): Failure {
  return new Failure(`${path}: ${status} ${error ? `${error.code}: ${error.message}` : 'without a reason'}`, EXIT.failed, error);
}
