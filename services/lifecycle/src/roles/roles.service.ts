import {
  ArchiveRole,
  ChangeRole,
  CreateRole,
  GetRole,
  ListRoles,
  RoleRuntime,
  RoleSummary,
  RoleView,
  UnarchiveRole,
  newId,
  refusal,
} from '@reprise/contracts';
import { RefusedError } from '@reprise/messaging';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Command } from '../commands/command';
import { CommandRunner } from '../commands/command-runner';
import { idOfCursor, PAGE_BYTES, pageOf } from '../commands/cursor.rules';
import { notFound } from '../commands/visibility.rules';
import { LifecycleConfig } from '../lifecycle.config';
import { ProvidersRepository } from '../providers/providers.repository';
import { OneStatement } from '../transactions/one-statement';
import { beyondLimits } from './role-limits.rules';
import type { RoleEntity } from './role.entity';
import { roleSummary, roleView } from './role.view';
import { RolesRepository } from './roles.repository';

/** The use cases of roles. */
@Injectable()
export class RolesService {
  constructor(
    private readonly runner: CommandRunner,
    private readonly roles: RolesRepository,
    private readonly providers: ProvidersRepository,
    private readonly config: LifecycleConfig,
  ) {}

  create(command: Command<CreateRole>): Promise<RoleView> {
    const { data } = command;
    return this.runner.run(command, async (manager, now) => {
      this.mustBeWithinLimits(data.runtime);
      await this.mustBeUsable(manager, command.orgId, data.provider_id);
      const role: RoleEntity = {
        id: data.id ?? newId('role'),
        org_id: command.orgId,
        provider_id: data.provider_id,
        name: data.name,
        display_name: data.display_name ?? data.name,
        command: data.command,
        env: data.env ?? {},
        secret_env: data.secret_env ?? {},
        task_timeout_seconds: data.task_timeout_seconds ?? this.config.defaultTaskTimeoutSeconds,
        idle_timeout_seconds: data.idle_timeout_seconds ?? this.config.defaultIdleTimeoutSeconds,
        runtime: data.runtime ?? {},
        on_pod_lost: data.on_pod_lost ?? 'fail',
        checkpoint_interval_seconds: data.checkpoint_interval_seconds ?? 0,
        version: 1,
        created_at: now,
        updated_at: now,
        archived_at: null,
      };
      return {
        reply: roleView(role, readableBy(command)),
        writes: new OneStatement().add('role', this.roles.insert(role), 1),
        messages: [],
        audit: { subject: role.id, detail: { name: role.name } },
      };
    });
  }

  change(command: Command<ChangeRole>): Promise<RoleView> {
    const { role_id: _id, caller: _caller, idempotency: _key, secret_env: secrets, ...fields } = command.data;
    const changes = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<RoleEntity>;
    return this.runner.run(command, async (manager, now) => {
      this.mustBeWithinLimits(changes.runtime);
      const before = await this.load(manager, command);
      if (changes.provider_id !== undefined) await this.mustBeUsable(manager, command.orgId, changes.provider_id);
      const role = {
        ...before,
        ...changes,
        secret_env: changedSecrets(before.secret_env, secrets),
        version: before.version + 1,
        updated_at: now,
      };
      return {
        reply: roleView(role, readableBy(command)),
        writes: new OneStatement().add('role', this.roles.update(role, before.version), 1),
        messages: [],
        audit: {
          subject: role.id,
          detail: { fields: [...Object.keys(changes), ...(secrets ? ['secret_env'] : [])], version: role.version },
        },
      };
    });
  }

  archive(command: Command<ArchiveRole>): Promise<{ status: 'archived' }> {
    return this.runner.run(command, async (manager, now) => {
      const before = await this.load(manager, command);
      const running = await this.roles.running(manager, before.id);
      if (running > 0) throw new RefusedError(refusal('workspaces_active', { workspaces: running }));
      return {
        reply: { status: 'archived' as const },
        writes: this.mark(before, before.archived_at ?? now, now),
        messages: [],
        audit: { subject: before.id, detail: {} },
      };
    });
  }

  /** A role comes back after its provider. */
  unarchive(command: Command<UnarchiveRole>): Promise<{ status: 'unarchived' }> {
    return this.runner.run(command, async (manager, now) => {
      const before = await this.load(manager, command);
      if (before.archived_at === null) throw new RefusedError(refusal('not_archived'));
      await this.mustBeUsable(manager, command.orgId, before.provider_id);
      return {
        reply: { status: 'unarchived' as const },
        writes: this.mark(before, null, now),
        messages: [],
        audit: { subject: before.id, detail: {} },
      };
    });
  }

  async get(orgId: string, { role_id: id, with_values: values = false }: GetRole): Promise<RoleView> {
    const role = await this.roles.find(orgId, id);
    if (!role) throw new RefusedError(notFound('role_not_found'));
    return roleView(role, { values });
  }

  async list(orgId: string, query: ListRoles): Promise<{ roles: RoleSummary[]; cursor?: string }> {
    const from = idOfCursor(query.cursor, 'role');
    if ('refused' in from) throw new RefusedError(from.refused);
    const rows = await this.roles.page(orgId, query.include_archived, from.before, query.limit + 1, PAGE_BYTES);
    const { page, ...rest } = pageOf(rows, query.limit, roleSummary);
    return { roles: page, ...rest };
  }

  private mark(role: RoleEntity, archivedAt: Date | null, now: Date): OneStatement {
    return new OneStatement().add('role', this.roles.update({ ...role, archived_at: archivedAt, updated_at: now }, role.version), 1);
  }

  private mustBeWithinLimits(runtime: RoleRuntime = {}): void {
    const refused = beyondLimits(runtime, this.config);
    if (refused) throw new RefusedError(refused);
  }

  private async mustBeUsable(manager: EntityManager, orgId: string, providerId: string): Promise<void> {
    const provider = await this.providers.lockForUse(manager, orgId, providerId);
    if (!provider) throw new RefusedError(notFound('provider_not_found'));
    if (provider.archived_at !== null) throw new RefusedError(refusal('provider_archived'));
  }

  private async load(manager: EntityManager, command: Command<{ role_id: string }>): Promise<RoleEntity> {
    const role = await this.roles.lock(manager, command.orgId, command.data.role_id);
    if (!role) throw new RefusedError(notFound('role_not_found'));
    return role;
  }
}

/** An event that tells of an answer is read by others than the one who asked. */
function readableBy({ wantsReply }: Command<unknown>): { values: boolean } {
  return { values: wantsReply };
}

/** Sets, removes by null, and leaves alone what is not named. */
function changedSecrets(before: Record<string, string>, changes: Record<string, string | null> = {}): Record<string, string> {
  const after = Object.entries({ ...before, ...changes });
  return Object.fromEntries(after.filter((entry): entry is [string, string] => entry[1] !== null));
}
