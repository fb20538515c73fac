import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { InterruptTask, RunTask } from '@reprise/contracts';
import { RetryLater } from '@reprise/messaging';
import { mustBePlausible } from '../inventory/plausible-generation';
import { PodAccess } from '../inventory/pod-access';
import { PodsRepository } from '../inventory/pods.repository';
import { AgentError } from '../pods/agent-client.types';
import type { PodIdentity } from '../pods/pod-driver';

/** `reason`: why the pod could not be given the task; `pod_lost`, `pod_unreachable`, or the agent's own code. */
export type Delivery = { readonly delivered: true } | { readonly delivered: false; readonly reason: string };

/** Pauses between attempts. A pod that still ends the task before (5 s until SIGKILL) says that it is busy. */
const PAUSES_MS = [250, 500, 1_000, 2_000, 4_000];

/** Speaks with the agents of live pods about tasks. Keeps no record: that is the service's work. */
@Injectable()
export class TaskDelivery {
  constructor(
    private readonly pods: PodsRepository,
    private readonly access: PodAccess,
  ) {}

  /**
   * A pod of a generation that the workspace cannot have is nobody's to wait for.
   * @throws DeadLetter `implausible_generation`
   */
  async mustBePlausible({
    workspace_id: workspaceId,
    pod_generation: generation,
  }: Pick<RunTask, 'workspace_id' | 'pod_generation'>): Promise<void> {
    mustBePlausible(workspaceId, generation, await this.pods.highestGeneration(workspaceId));
  }

  /** Idempotent by task id: the agent runs a task once. @throws DeadLetter `implausible_generation` */
  async deliver(command: RunTask): Promise<Delivery> {
    const row = await this.pods.find(command.workspace_id, command.pod_generation);
    if (row === null) await this.mustBePlausible(command);
    if (row?.status !== 'live') return { delivered: false, reason: 'pod_lost' };
    for (let attempt = 0; ; attempt += 1) {
      const reason = await this.attempt(row, command);
      if (reason === null) return { delivered: true };
      const pause = PAUSES_MS[attempt];
      if (pause === undefined || !WORTH_ANOTHER.has(reason)) return { delivered: false, reason };
      await sleep(pause);
    }
  }

  /** Asks the agent to end the task. One that has ended, or whose pod is gone, needs no asking. @throws RetryLater */
  async interrupt(command: Pick<InterruptTask, 'workspace_id' | 'pod_generation' | 'task_id' | 'reason'>): Promise<void> {
    const found = await this.access.find({ workspaceId: command.workspace_id, generation: command.pod_generation });
    if (found === 'gone' || found === 'starting') return;
    try {
      await found.agent.cancelTask(command.task_id, command.reason);
    } catch (error) {
      if (error instanceof AgentError && error.retryable)
        throw new RetryLater(`The pod cannot be asked: ${error.message}`, { cause: error });
      throw error;
    }
  }

  /** Null where the pod has the task, else why it has not. */
  private async attempt(pod: PodIdentity, command: RunTask): Promise<string | null> {
    const found = await this.access.find(pod);
    if (found === 'gone') return 'pod_lost';
    if (found === 'starting') return UNREACHABLE;
    try {
      const { task_id: taskId, description, timeout_seconds: timeoutSeconds } = command;
      await found.agent.runTask({ taskId, description, timeoutSeconds });
      return null;
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      return error.retryable ? UNREACHABLE : (error.agentCode ?? error.reason);
    }
  }
}

const UNREACHABLE = 'pod_unreachable';
const WORTH_ANOTHER: ReadonlySet<string> = new Set([UNREACHABLE, 'busy']);
