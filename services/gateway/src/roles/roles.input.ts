import { OmitType } from '@nestjs/swagger';
import { ChangeRole, CreateRole, IsSecretMap, MayBeLeftOut, RoleRuntime } from '@reprise/contracts';
import { IsOptional, IsString } from 'class-validator';
import { Describes } from '../docs/describes.decorator';
import { PageQuery } from '../input/page.query';
import { QueryFlag } from '../input/query.decorators';

const FIELDS = {
  name: 'A slug, unique in the org.',
  display_name: 'A name for people; the slug where it is not given.',
  provider_id: 'The provider that it uses.',
  command: "What a task runs: the program and its arguments. The task's text comes on standard input.",
  env: 'Environment variables of its tasks. None may start with REPRISE_.',
  secret_env:
    'Environment variables whose values nobody can read back; they go before those of `env`. A change sets those that it names, removes those that are null, and leaves the others.',
  task_timeout_seconds: 'How long a task may run.',
  idle_timeout_seconds: 'After so long without a task an idle workspace stops; 0 is never.',
  on_pod_lost:
    'What becomes of a workspace whose pod is lost: fail, it stays failed until someone resumes it; resume, it is resumed from its last good snapshot, at most a few times an hour.',
  checkpoint_interval_seconds:
    'How often an idle workspace is saved while its pod stays up, if anything may have changed since; 0 is never. It bounds what is lost where a pod dies together with its disk.',
  runtime: 'What its pods run in and how much of it; a change replaces it as a whole. Where pods are processes, none of it counts.',
};

Describes<RoleRuntime>({
  image: "The container image of its pods; its entry point is not used. The installation's own image where it is not given.",
  cpus: 'Cores; may be a fraction.',
  memory_mb: 'Memory, in MiB.',
  pids: 'Processes and threads at once. On Kubernetes that is a setting of its nodes, and this has no effect.',
  disk_mb: 'Room for the workspace, in MiB. Volumes of a Docker engine have no size: there it has no effect.',
  read_only_root: 'Whether everything but the workspace and the temporary directory is read-only.',
})(RoleRuntime);

@Describes<CreateRoleBody>(FIELDS, CreateRole.example)
export class CreateRoleBody extends OmitType(CreateRole, ['id', 'provider_id', 'secret_env', 'caller', 'idempotency'] as const) {
  // Of any form: one that cannot be is the same 404 as one that is not.
  @IsString()
  provider_id!: string;

  @MayBeLeftOut()
  @IsSecretMap({ removable: false })
  secret_env?: Record<string, string>;
}

@Describes<ChangeRoleBody>(FIELDS, ChangeRole.example)
export class ChangeRoleBody extends OmitType(ChangeRole, ['role_id', 'provider_id', 'secret_env', 'caller', 'idempotency'] as const) {
  @IsOptional()
  @IsString()
  provider_id?: string;

  @MayBeLeftOut()
  @IsSecretMap({ removable: true })
  secret_env?: Record<string, string | null>;
}

@Describes<ListRolesQuery>({ include_archived: 'Whether archived ones are listed as well.' })
export class ListRolesQuery extends PageQuery {
  @QueryFlag()
  include_archived = false;
}
