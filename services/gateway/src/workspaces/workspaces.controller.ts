import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import {
  ArchiveWorkspace,
  CreateWorkspace,
  GetWorkspace,
  ListWorkspaces,
  RestartWorkspace,
  ResumeWorkspace,
  StopWorkspace,
  UnarchiveWorkspace,
} from '@reprise/contracts';
import { Requires } from '../auth/requires.decorator';
import { Lifecycle } from '../commands/lifecycle.service';
import { Answers } from '../docs/answers.decorator';
import { Ask, type Asking } from '../input/ask.decorator';
import { pageOf } from '../input/page.query';
import { CreateWorkspaceBody, ListWorkspacesQuery, RestartQuery, ResumeQuery } from './workspaces.input';

@Controller('v1/workspaces')
export class WorkspacesController {
  constructor(private readonly lifecycle: Lifecycle) {}

  @Post()
  @Requires('workspace:write', { adds: true })
  @Answers(201, 'Workspace', {
    summary: 'Create a workspace',
    description: 'Its status is `provisioning` until its first pod is ready; `operation.id` can be waited for.',
    refusals: ['role_not_found', 'role_archived', 'provider_archived'],
  })
  createWorkspace(@Ask() asking: Asking, @Body() body: CreateWorkspaceBody): Promise<unknown> {
    return this.lifecycle.command(CreateWorkspace, asking, body);
  }

  @Get()
  @Requires('workspace:read')
  @Answers(200, 'WorkspacePage', { summary: 'List workspaces, newest first', refusals: ['role_not_found'] })
  listWorkspaces(@Ask() asking: Asking, @Query() query: ListWorkspacesQuery): Promise<unknown> {
    const { include_archived, role_name, status } = query;
    return this.lifecycle.query(ListWorkspaces, asking, { ...pageOf(query), include_archived, role_name, status });
  }

  @Get(':workspace_id')
  @Requires('workspace:read')
  @Answers(200, 'Workspace', { summary: 'Get a workspace', refusals: ['workspace_not_found'] })
  getWorkspace(@Ask() asking: Asking, @Param('workspace_id') workspace_id: string): Promise<unknown> {
    return this.lifecycle.query(GetWorkspace, asking, { workspace_id });
  }

  @Post(':workspace_id/restart')
  @Requires('workspace:write', { adds: true })
  @Answers(202, 'Restarting', {
    summary: 'Restart a workspace',
    description: 'Saves its files, removes its pod and makes a new one with the same files and with its role as the role is now.',
    refusals: ['workspace_not_found', 'workspace_archived', 'invalid_state', 'workspace_busy'],
  })
  restartWorkspace(@Ask() asking: Asking, @Param('workspace_id') workspace_id: string, @Query() { force }: RestartQuery): Promise<unknown> {
    return this.lifecycle.command(RestartWorkspace, asking, { workspace_id, force });
  }

  @Post(':workspace_id/resume')
  @Requires('tasks:write', { adds: true })
  @Answers(202, 'Resuming', {
    summary: 'Resume a stopped or failed workspace',
    description:
      'What a lost pod left is saved first, where it is still there; else the workspace begins from its last snapshot. The operation says which: `state_from`.',
    refusals: ['workspace_not_found', 'workspace_archived', 'role_archived', 'provider_archived', 'invalid_state'],
  })
  resumeWorkspace(
    @Ask() asking: Asking,
    @Param('workspace_id') workspace_id: string,
    @Query() { from_snapshot }: ResumeQuery,
  ): Promise<unknown> {
    return this.lifecycle.command(ResumeWorkspace, asking, { workspace_id, ...(from_snapshot ? { from_snapshot } : {}) });
  }

  @Post(':workspace_id/stop')
  @Requires('workspace:write')
  @Answers(202, 'Stopping', {
    summary: 'Stop a workspace: save its files and remove its pod',
    refusals: ['workspace_not_found', 'workspace_archived', 'invalid_state'],
  })
  stopWorkspace(@Ask() asking: Asking, @Param('workspace_id') workspace_id: string): Promise<unknown> {
    return this.lifecycle.command(StopWorkspace, asking, { workspace_id });
  }

  @Post(':workspace_id/archive')
  @Requires('workspace:write')
  @Answers(200, 'Archived', { summary: 'Archive a stopped or failed workspace', refusals: ['workspace_not_found', 'invalid_state'] })
  archiveWorkspace(@Ask() asking: Asking, @Param('workspace_id') workspace_id: string): Promise<unknown> {
    return this.lifecycle.command(ArchiveWorkspace, asking, { workspace_id });
  }

  @Post(':workspace_id/unarchive')
  @Requires('workspace:write', { adds: true })
  @Answers(200, 'Unarchived', { summary: 'Take an archived workspace back', refusals: ['workspace_not_found', 'not_archived'] })
  unarchiveWorkspace(@Ask() asking: Asking, @Param('workspace_id') workspace_id: string): Promise<unknown> {
    return this.lifecycle.command(UnarchiveWorkspace, asking, { workspace_id });
  }
}
