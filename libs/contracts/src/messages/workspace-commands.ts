import { IsBoolean, IsOptional, IsString } from 'class-validator';
import { EXAMPLE, IsTypeId, LifecycleCommand } from './message';
import { Length, MayBeLeftOut, NeededWithout } from './rules';

/** Makes a workspace of a role, named by id or by name. Answers with the workspace. */
export class CreateWorkspace extends LifecycleCommand {
  static readonly type = 'reprise.workspace.create.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { role_name: 'coder', environment: 'production' };

  /** The role by its id. One of role_id and role_name is needed; where both are given the id counts. */
  @NeededWithout('role_name')
  @IsString()
  @Length(1, 64)
  role_id?: string;

  /** The role by its name. */
  @MayBeLeftOut()
  @IsString()
  @Length(1, 64)
  role_name?: string;

  /** A label of the caller's own; the pod sees it as REPRISE_ENVIRONMENT. */
  @IsOptional()
  @IsString()
  @Length(1, 64)
  environment?: string | null;
}

/** A command to one workspace. */
abstract class WorkspaceCommand extends LifecycleCommand {
  @IsTypeId('workspace')
  workspace_id!: string;
}

/** Tears the pod down and provisions a fresh one from its snapshot, with the role as it is then. A busy workspace needs `force`. */
export class RestartWorkspace extends WorkspaceCommand {
  static readonly type = 'reprise.workspace.restart.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, force: true };

  /** Whether a running task may be interrupted: it ends cancelled, `interrupted_by_restart`. */
  @IsOptional()
  @IsBoolean()
  force?: boolean;
}

/** Saves and removes the pod. */
export class StopWorkspace extends WorkspaceCommand {
  static readonly type = 'reprise.workspace.stop.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace };
}

/** Brings a stopped or failed workspace back: with what a lost pod left, where that can still be saved, else from its last good snapshot. */
export class ResumeWorkspace extends WorkspaceCommand {
  static readonly type = 'reprise.workspace.resume.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace };

  /** Discard what a lost pod left, and go on from the last good snapshot: the way on where it cannot be saved (`salvage_failed`). */
  @IsOptional()
  @IsBoolean()
  from_snapshot?: boolean;
}

/** Hides a stopped or failed workspace and bars it from being brought up. */
export class ArchiveWorkspace extends WorkspaceCommand {
  static readonly type = 'reprise.workspace.archive.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace };
}

/** Takes an archived workspace back. */
export class UnarchiveWorkspace extends WorkspaceCommand {
  static readonly type = 'reprise.workspace.unarchive.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace };
}

export const WORKSPACE_COMMANDS = [
  CreateWorkspace,
  RestartWorkspace,
  StopWorkspace,
  ResumeWorkspace,
  ArchiveWorkspace,
  UnarchiveWorkspace,
] as const;
