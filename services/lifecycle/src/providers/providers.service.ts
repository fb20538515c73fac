import {
  ArchiveProvider,
  ChangeProvider,
  CreateProvider,
  GetProvider,
  ListProviders,
  ProviderSummary,
  ProviderView,
  UnarchiveProvider,
  newId,
  refusal,
} from '@reprise/contracts';
import { RefusedError } from '@reprise/messaging';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Command } from '../commands/command';
import { CommandRunner } from '../commands/command-runner';
import { idOfCursor, pageOf } from '../commands/cursor.rules';
import { notFound } from '../commands/visibility.rules';
import { OneStatement } from '../transactions/one-statement';
import type { ProviderEntity } from './provider.entity';
import { providerSummary, providerView } from './provider.view';
import { ProvidersRepository } from './providers.repository';

/** The use cases of providers. */
@Injectable()
export class ProvidersService {
  constructor(
    private readonly runner: CommandRunner,
    private readonly providers: ProvidersRepository,
  ) {}

  create(command: Command<CreateProvider>): Promise<ProviderView> {
    const { name, kind, config } = command.data;
    return this.runner.run(command, (_manager, now) => {
      const provider: ProviderEntity = {
        id: newId('provider'),
        org_id: command.orgId,
        name,
        kind,
        config: config ?? {},
        created_at: now,
        updated_at: now,
        archived_at: null,
      };
      return Promise.resolve({
        reply: providerView(provider, { values: command.wantsReply }),
        writes: new OneStatement().add('provider', this.providers.insert(provider), 1),
        messages: [],
        audit: { subject: provider.id, detail: { name } },
      });
    });
  }

  change(command: Command<ChangeProvider>): Promise<ProviderView> {
    const { name, kind, config } = command.data;
    return this.runner.run(command, async (manager, now) => {
      const before = await this.load(manager, command);
      const provider = {
        ...before,
        name: name ?? before.name,
        kind: kind ?? before.kind,
        config: config ?? before.config,
        updated_at: now,
      };
      const writes = new OneStatement().add('provider', this.providers.update(provider), 1);
      // What a pod sees of its provider is the kind and the config; a new name leaves it as it is.
      if (kind !== undefined || config !== undefined) writes.add('roles', this.providers.raiseRoles(provider.id, now));
      return {
        reply: providerView(provider, { values: command.wantsReply }),
        writes,
        messages: [],
        audit: { subject: provider.id, detail: { fields: Object.keys({ name, kind, config }).filter((f) => f in command.data) } },
      };
    });
  }

  /** Refused while a workspace of one of its roles runs. Whoever creates or resumes one holds the provider, so none slips in meanwhile. */
  archive(command: Command<ArchiveProvider>): Promise<{ status: 'archived'; cascaded_roles: number }> {
    return this.runner.run(command, async (manager, now) => {
      const before = await this.load(manager, command);
      const running = await this.providers.running(manager, before.id);
      if (running > 0) throw new RefusedError(refusal('workspaces_active', { workspaces: running }));
      const roles = await this.providers.rolesToArchive(manager, before.id);
      const provider = { ...before, archived_at: before.archived_at ?? now, updated_at: now };
      return {
        reply: { status: 'archived' as const, cascaded_roles: roles.length },
        writes: new OneStatement()
          .add('provider', this.providers.update(provider), 1)
          .add('roles', this.providers.archiveRoles(roles, now), roles.length),
        messages: [],
        audit: { subject: provider.id, detail: { cascaded_roles: roles } },
      };
    });
  }

  unarchive(command: Command<UnarchiveProvider>): Promise<{ status: 'unarchived' }> {
    return this.runner.run(command, async (manager, now) => {
      const before = await this.load(manager, command);
      if (before.archived_at === null) throw new RefusedError(refusal('not_archived'));
      return {
        reply: { status: 'unarchived' as const },
        writes: new OneStatement().add('provider', this.providers.update({ ...before, archived_at: null, updated_at: now }), 1),
        messages: [],
        audit: { subject: before.id, detail: {} },
      };
    });
  }

  async get(orgId: string, { provider_id: id, with_values: values = false }: GetProvider): Promise<ProviderView> {
    const provider = await this.providers.find(orgId, id);
    if (!provider) throw new RefusedError(notFound('provider_not_found'));
    return providerView(provider, { values });
  }

  async list(orgId: string, query: ListProviders): Promise<{ providers: ProviderSummary[]; cursor?: string }> {
    const from = idOfCursor(query.cursor, 'provider');
    if ('refused' in from) throw new RefusedError(from.refused);
    const rows = await this.providers.page(orgId, query.include_archived, from.before, query.limit + 1);
    const { page, ...rest } = pageOf(rows, query.limit, providerSummary);
    return { providers: page, ...rest };
  }

  private async load(manager: EntityManager, command: Command<{ provider_id: string }>): Promise<ProviderEntity> {
    const provider = await this.providers.lock(manager, command.orgId, command.data.provider_id);
    if (!provider) throw new RefusedError(notFound('provider_not_found'));
    return provider;
  }
}
