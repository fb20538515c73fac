import { PodLost } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import type { Fact } from '../commands/command';
import { FactRunner } from '../commands/fact-runner';
import { endOfTask } from '../tasks/task-end';
import { TasksRepository } from '../tasks/tasks.repository';
import { OneStatement } from '../transactions/one-statement';
import { lostAt } from './operation.rules';
import { statusChanged } from '../workspaces/announcements';
import { WorkspacesRepository } from '../workspaces/workspaces.repository';
import { mustBePlausible } from './plausible-generation';

/** What becomes of a workspace whose pod is lost. Whether it is resumed is its role's to say, and the watchdog's to do. */
@Injectable()
export class PodLosses {
  constructor(
    private readonly facts: FactRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly tasks: TasksRepository,
  ) {}

  /** A live pod is gone. During an operation the job that meets it will tell, unless it had ended before; then the operation's end counts it in. */
  async lost(fact: Fact<PodLost>): Promise<void> {
    await this.facts.apply(fact, async (manager, now) => {
      const workspace = await this.workspaces.lock(manager, fact.data.workspace_id, null);
      const { pod_generation: lost } = fact.data;
      if (workspace) mustBePlausible(lost, workspace.generation);
      if (workspace && workspace.operation_id !== null && lost > (workspace.lost_generation ?? 0)) {
        return {
          writes: new OneStatement().add('workspace', this.workspaces.update(workspace, { lost_generation: lost }, now), 1),
          messages: [],
        };
      }
      if (workspace?.operation_id !== null || workspace.pod_generation !== lost) return null;
      const task = workspace.running_task_id ? await this.tasks.lock(manager, workspace.running_task_id) : null;
      const ended = task && endOfTask(task, workspace, { status: 'failed', reason: 'pod_lost', completedAt: now });
      const writes = new OneStatement().add(
        'workspace',
        this.workspaces.update(
          workspace,
          {
            status: 'failed',
            pod_generation: null,
            pod_role_version: null,
            running_task_id: null,
            lost_at: lostAt(workspace.role, now),
            failure: { code: 'pod_lost', message: fact.data.reason, operation_id: null, at: now.toISOString() },
          },
          now,
        ),
        1,
      );
      if (task && ended) writes.add('task', this.tasks.update(task, ended.task), 1);
      const about = { orgId: workspace.org_id, workspaceId: workspace.id };
      return { writes, messages: [...(ended?.messages ?? []), ...statusChanged(workspace.status, 'failed', workspace.generation, about)] };
    });
  }
}
