import { CreatePod, PodSpec, RemovePod, ReplacePod, newId } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';
import { currentContext } from '@reprise/platform';
import type { OperationEntity } from '../operations/operation.entity';
import type { LoadedWorkspace } from './workspaces.repository';

type Runnable = Pick<LoadedWorkspace, 'role' | 'provider' | 'environment'>;

/** What the pod runs as: the role and the provider as they are now. */
function specOf({ role, provider, environment }: Runnable): PodSpec {
  return {
    role_id: role.id,
    role_version: role.version,
    role_name: role.name,
    command: role.command,
    env: role.env,
    ...(Object.keys(role.secret_env).length > 0 ? { secret_env: role.secret_env } : {}),
    environment,
    provider_kind: provider.kind,
    provider_config: provider.config,
    task_timeout_seconds: role.task_timeout_seconds,
    runtime: role.runtime,
  };
}

/** The command that carries an operation to the provisioner. */
export function podCommandFor(
  operation: OperationEntity,
  workspace: Runnable & Pick<LoadedWorkspace, 'snapshot_ref' | 'pod_generation'>,
  { fromSnapshot = false, withoutSnapshot = false }: { fromSnapshot?: boolean; withoutSnapshot?: boolean } = {},
): OutgoingMessage {
  const job = {
    operation_id: operation.id,
    workspace_id: operation.workspace_id,
    generation: operation.generation,
    deadline_at: operation.deadline_at.toISOString(),
  };
  const livePod = workspace.pod_generation ?? operation.generation - 1;
  switch (operation.kind) {
    case 'create':
    case 'resume': {
      const data: CreatePod = {
        ...job,
        spec: specOf(workspace),
        snapshot_id: workspace.snapshot_ref,
        ...(fromSnapshot ? { from_snapshot: true } : {}),
      };
      return message(CreatePod.type, data, operation);
    }
    case 'restart': {
      const data: ReplacePod = { ...job, pod_generation: livePod, force: operation.force, spec: specOf(workspace) };
      return message(ReplacePod.type, data, operation);
    }
    case 'stop': {
      const data: RemovePod = { ...job, pod_generation: livePod, ...(withoutSnapshot ? { without_snapshot: true } : {}) };
      return message(RemovePod.type, data, operation);
    }
  }
}

function message(type: string, data: object, operation: OperationEntity): OutgoingMessage {
  return {
    id: newId('message'),
    type,
    data,
    subject: operation.workspace_id,
    orgId: operation.org_id,
    actor: operation.requested_by,
    correlationId: operation.correlation_id,
    // It is kept with the operation, and sent again from there by who knows nothing of the trace.
    traceparent: currentContext().traceparent ?? null,
  };
}
