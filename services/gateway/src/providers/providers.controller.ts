import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ArchiveProvider, ChangeProvider, CreateProvider, GetProvider, ListProviders, UnarchiveProvider } from '@reprise/contracts';
import { Requires, RequiresToken } from '../auth/requires.decorator';
import { Lifecycle } from '../commands/lifecycle.service';
import { Answers } from '../docs/answers.decorator';
import { Ask, type Asking, valuesFor } from '../input/ask.decorator';
import { pageOf } from '../input/page.query';
import { ChangeProviderBody, CreateProviderBody, ListProvidersQuery } from './providers.input';

const VALUES = 'Without caps:write each value of `config` is `***`.';

@Controller('v1/providers')
export class ProvidersController {
  constructor(private readonly lifecycle: Lifecycle) {}

  @Post()
  @Requires('caps:write', { adds: true })
  @Answers(201, 'Provider', { summary: 'Create a provider', refusals: ['name_taken'] })
  createProvider(@Ask() asking: Asking, @Body() body: CreateProviderBody): Promise<unknown> {
    return this.lifecycle.command(CreateProvider, asking, body);
  }

  @Get()
  @RequiresToken()
  @Answers(200, 'ProviderPage', {
    summary: 'List providers',
    description: 'Without `config`, which is read with the provider itself.',
    refusals: [],
  })
  listProviders(@Ask() asking: Asking, @Query() query: ListProvidersQuery): Promise<unknown> {
    return this.lifecycle.query(ListProviders, asking, { ...pageOf(query), include_archived: query.include_archived });
  }

  @Get(':provider_id')
  @RequiresToken()
  @Answers(200, 'Provider', { summary: 'Get a provider', description: VALUES, refusals: ['provider_not_found'] })
  getProvider(@Ask() asking: Asking, @Param('provider_id') provider_id: string): Promise<unknown> {
    return this.lifecycle.query(GetProvider, asking, { provider_id, ...valuesFor(asking) });
  }

  @Patch(':provider_id')
  @Requires('caps:write', { adds: true })
  @Answers(200, 'Provider', {
    summary: 'Change a provider',
    description: 'Changes the fields that are given and raises the version of its roles.',
    refusals: ['provider_not_found', 'name_taken'],
  })
  changeProvider(@Ask() asking: Asking, @Param('provider_id') provider_id: string, @Body() body: ChangeProviderBody): Promise<unknown> {
    return this.lifecycle.command(ChangeProvider, asking, { provider_id, ...body });
  }

  @Post(':provider_id/archive')
  @Requires('caps:write')
  @Answers(200, 'ProviderArchived', {
    summary: 'Archive a provider and its roles',
    description: 'Refused while a workspace of one of its roles runs.',
    refusals: ['provider_not_found', 'workspaces_active'],
  })
  archiveProvider(@Ask() asking: Asking, @Param('provider_id') provider_id: string): Promise<unknown> {
    return this.lifecycle.command(ArchiveProvider, asking, { provider_id });
  }

  @Post(':provider_id/unarchive')
  @Requires('caps:write', { adds: true })
  @Answers(200, 'Unarchived', {
    summary: 'Take an archived provider back',
    description: 'Its roles stay archived.',
    refusals: ['provider_not_found', 'not_archived'],
  })
  unarchiveProvider(@Ask() asking: Asking, @Param('provider_id') provider_id: string): Promise<unknown> {
    return this.lifecycle.command(UnarchiveProvider, asking, { provider_id });
  }
}
