import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ArchiveRole, ChangeRole, CreateRole, GetRole, ListRoles, UnarchiveRole } from '@reprise/contracts';
import { Requires, RequiresToken } from '../auth/requires.decorator';
import { Lifecycle } from '../commands/lifecycle.service';
import { Answers } from '../docs/answers.decorator';
import { Ask, type Asking, valuesFor } from '../input/ask.decorator';
import { pageOf } from '../input/page.query';
import { RoleSecrets } from './role-secrets.service';
import { ChangeRoleBody, CreateRoleBody, ListRolesQuery } from './roles.input';

const VALUES = 'Without caps:write each value of `env` is `***`. Of `secret_env` there are only the names.';

@Controller('v1/agent-roles')
export class RolesController {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly secrets: RoleSecrets,
  ) {}

  @Post()
  @Requires('caps:write', { adds: true })
  @Answers(201, 'Role', { summary: 'Create a role', refusals: ['provider_not_found', 'provider_archived', 'name_taken'] })
  createRole(@Ask() asking: Asking, @Body() body: CreateRoleBody): Promise<unknown> {
    return this.lifecycle.command(CreateRole, this.secrets.keyed(asking, body), this.secrets.ofNew(asking.orgId, body));
  }

  @Get()
  @RequiresToken()
  @Answers(200, 'RolePage', {
    summary: 'List roles',
    description: 'Without `env` and `secret_env`, which are read with the role itself.',
    refusals: [],
  })
  listRoles(@Ask() asking: Asking, @Query() query: ListRolesQuery): Promise<unknown> {
    return this.lifecycle.query(ListRoles, asking, { ...pageOf(query), include_archived: query.include_archived });
  }

  @Get(':role_id')
  @RequiresToken()
  @Answers(200, 'Role', { summary: 'Get a role', description: VALUES, refusals: ['role_not_found'] })
  getRole(@Ask() asking: Asking, @Param('role_id') role_id: string): Promise<unknown> {
    return this.lifecycle.query(GetRole, asking, { role_id, ...valuesFor(asking) });
  }

  @Patch(':role_id')
  @Requires('caps:write', { adds: true })
  @Answers(200, 'Role', {
    summary: 'Change a role',
    description:
      'Changes the fields that are given and raises the version. A running pod keeps the role that it was made with until a restart. `secret_env` sets the variables that it names, removes those that are null, and leaves the others as they are.',
    refusals: ['role_not_found', 'provider_not_found', 'provider_archived', 'name_taken'],
  })
  changeRole(@Ask() asking: Asking, @Param('role_id') role_id: string, @Body() body: ChangeRoleBody): Promise<unknown> {
    const data = { role_id, ...this.secrets.ofChange(asking.orgId, role_id, body) };
    return this.lifecycle.command(ChangeRole, this.secrets.keyed(asking, body), data);
  }

  @Post(':role_id/archive')
  @Requires('caps:write')
  @Answers(200, 'Archived', {
    summary: 'Archive a role',
    refusals: ['role_not_found', 'workspaces_active'],
  })
  archiveRole(@Ask() asking: Asking, @Param('role_id') role_id: string): Promise<unknown> {
    return this.lifecycle.command(ArchiveRole, asking, { role_id });
  }

  @Post(':role_id/unarchive')
  @Requires('caps:write', { adds: true })
  @Answers(200, 'Unarchived', {
    summary: 'Take an archived role back',
    refusals: ['role_not_found', 'not_archived', 'provider_archived'],
  })
  unarchiveRole(@Ask() asking: Asking, @Param('role_id') role_id: string): Promise<unknown> {
    return this.lifecycle.command(UnarchiveRole, asking, { role_id });
  }
}
