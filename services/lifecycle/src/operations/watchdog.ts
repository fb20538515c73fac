import { RefusedError } from '@reprise/messaging';
import { Clock } from '@reprise/platform';
import { BeforeApplicationShutdown, Injectable, Logger, OnApplicationBootstrap } from '@nestjs/common';
import { AnswersRepository } from '../commands/answers.repository';
import { LifecycleConfig } from '../lifecycle.config';
import { LifecycleMetrics } from '../metrics/lifecycle-metrics';
import { TaskWatch } from '../tasks/task-watch.service';
import { CheckpointsService } from '../workspaces/checkpoints.service';
import { WorkspacesService } from '../workspaces/workspaces.service';
import { OperationsService } from './operations.service';

const HOUR_MS = 3_600_000;

/**
 * Looks, again and again, for what would stay stuck: operations that are quiet or past their deadline, tasks alike, workspaces that idle for too
 * long, are to be saved or lost their pods. Any number of replicas may: each effect is guarded, and has one message id where it is a message.
 */
@Injectable()
export class Watchdog implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Watchdog.name);
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private stopped = false;
  private forgottenAt = 0;

  constructor(
    private readonly operations: OperationsService,
    private readonly tasks: TaskWatch,
    private readonly workspaces: WorkspacesService,
    private readonly checkpoints: CheckpointsService,
    private readonly answers: AnswersRepository,
    private readonly config: LifecycleConfig,
    private readonly clock: Clock,
    private readonly metrics: LifecycleMetrics,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().finally(() => this.schedule());
    }, this.config.watchdogIntervalSeconds * 1000);
    this.timer.unref();
  }

  /** One look at everything. Never rejects: what cannot be looked after now is left to the next look. */
  async look(): Promise<void> {
    const now = this.clock.now();
    await this.guarded('Deadlines of operations', async () => {
      const overdue = await this.operations.overdue(now);
      await this.each(
        overdue,
        ({ id }) => `Operation ${id}`,
        (operation) => this.operations.failOverdue(operation),
      );
      if (overdue.length > 0) this.logger.warn(`${overdue.length} operations missed their deadline and have failed`);
    });
    await this.guarded('Quiet operations', async () => {
      for (const { id, kind, phases, resends } of await this.operations.resendQuiet()) {
        this.metrics.watchdogDid('operation_resent');
        const phase = phases.findLast(({ status }) => status === 'running')?.name ?? phases.at(-1)?.name ?? 'none yet';
        this.logger.warn(`Operation ${id} (${kind}, phase: ${phase}) shows no progress: its command is sent again (${resends})`);
      }
    });
    await this.guarded('Tasks', async () =>
      this.each(
        await this.tasks.overdue(now),
        ({ id }) => `Task ${id}`,
        (task) => this.tasks.attend(task),
      ),
    );
    await this.guarded('Idle workspaces', async () =>
      this.each(
        await this.workspaces.idleTooLong(now),
        ({ id }) => `Workspace ${id}`,
        (workspace) => this.stopIdle(workspace),
      ),
    );
    await this.guarded('Checkpoints', async () =>
      this.each(
        await this.checkpoints.due(now),
        ({ id }) => `Workspace ${id}`,
        async (workspace) => {
          if (await this.checkpoints.ask(workspace)) this.metrics.watchdogDid('checkpoint_asked');
        },
      ),
    );
    await this.guarded('Lost pods', async () =>
      this.each(
        await this.workspaces.lostToResume(now),
        ({ id }) => `Workspace ${id}`,
        (workspace) => this.resumeLost(workspace),
      ),
    );
    await this.guarded('Old idempotency keys', async () => {
      if (now.getTime() - this.forgottenAt < HOUR_MS) return;
      await this.answers.forgetKeysBefore(new Date(now.getTime() - this.config.idempotencyRetentionHours * HOUR_MS));
      this.forgottenAt = now.getTime();
    });
  }

  private async stopIdle(workspace: Parameters<WorkspacesService['stopIdle']>[0]): Promise<void> {
    try {
      await this.workspaces.stopIdle(workspace);
      this.metrics.watchdogDid('workspace_stopped');
    } catch (error) {
      // Someone used it in the meantime.
      if (!(error instanceof RefusedError)) throw error;
    }
  }

  private async resumeLost(workspace: Parameters<WorkspacesService['resumeLost']>[0]): Promise<void> {
    if ((await this.workspaces.resumeLost(workspace)) === null) return;
    this.metrics.watchdogDid('workspace_resumed');
    this.logger.warn(`Workspace ${workspace.id} lost its pod and is resumed, as its role asks`);
  }

  /** One that fails keeps none of the others waiting. */
  private async each<T>(items: readonly T[], nameOf: (item: T) => string, work: (item: T) => Promise<unknown>): Promise<void> {
    for (const item of items) {
      if (this.stopped) return;
      await this.guarded(nameOf(item), () => work(item));
    }
  }

  private async guarded(what: string, work: () => Promise<unknown>): Promise<void> {
    if (this.stopped) return;
    try {
      await work();
    } catch (error) {
      this.logger.warn(`${what} could not be looked after: ${(error as Error).message}`);
    }
  }
}
