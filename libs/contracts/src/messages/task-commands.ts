import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { TASK_REPORTS, TaskReportStatus } from '../vocabulary';
import { EXAMPLE, IsTypeId, LifecycleCommand } from './message';
import { IsCounter, IsTime, Length } from './rules';

/** The most characters that the text of a task may have. */
export const LONGEST_DESCRIPTION = 262_144;

/** Gives an idle workspace one piece of work. */
export class SubmitTask extends LifecycleCommand {
  static readonly type = 'reprise.task.submit.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, description: 'Summarise the open tickets' };

  @IsTypeId('workspace')
  workspace_id!: string;

  /** The task's text; the role's command reads it on standard input. */
  @IsString()
  @Length(1, LONGEST_DESCRIPTION)
  description!: string;
}

/** Asks the running task of a workspace to end. */
export class CancelTask extends LifecycleCommand {
  static readonly type = 'reprise.task.cancel.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace };

  @IsTypeId('workspace')
  workspace_id!: string;
}

/** What a pod's agent says of a task; the gateway has checked the pod's token. */
export class ReportTask {
  static readonly type = 'reprise.task.report.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = {
    workspace_id: EXAMPLE.workspace,
    pod_generation: 3,
    task_id: EXAMPLE.task,
    status: 'completed',
    output: 'Four tickets are open.',
    started_at: EXAMPLE.time,
    completed_at: EXAMPLE.time,
  };

  @IsTypeId('workspace')
  workspace_id!: string;

  /** The generation of the pod that speaks: the one that ran the task, or a later one that found the report undelivered. */
  @IsCounter()
  pod_generation!: number;

  @IsTypeId('task')
  task_id!: string;

  @IsIn(TASK_REPORTS)
  status!: TaskReportStatus;

  @IsOptional()
  @IsString()
  @MaxLength(524_288)
  output?: string;

  @IsOptional()
  @IsString()
  @MaxLength(1024)
  reason?: string;

  @IsOptional()
  @IsTime()
  started_at?: string;

  @IsOptional()
  @IsTime()
  completed_at?: string;
}

export const TASK_COMMANDS = [SubmitTask, CancelTask, ReportTask] as const;
