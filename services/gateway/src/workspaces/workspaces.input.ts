import { OmitType, PickType } from '@nestjs/swagger';
import { CreateWorkspace, NeededWithout, StopWithoutSnapshot, WORKSPACE_STATUSES, type WorkspaceStatus } from '@reprise/contracts';
import { IsOptional, IsString } from 'class-validator';
import { Describes } from '../docs/describes.decorator';
import { AllowNull } from '../input/allow-null.decorator';
import { PageQuery } from '../input/page.query';
import { QueryChoice, QueryFlag, QueryText } from '../input/query.decorators';

@Describes<CreateWorkspaceBody>(
  {
    role_id: 'The role that it runs as; or give its name.',
    role_name: 'The name of the role that it runs as; with role_id, it must be the name of that one.',
    environment: 'A label of your own; the pod sees it as REPRISE_ENVIRONMENT.',
  },
  CreateWorkspace.example,
)
export class CreateWorkspaceBody extends OmitType(CreateWorkspace, ['role_id', 'role_name', 'caller', 'idempotency'] as const) {
  // Of any form: one that cannot be is the same 404 as one that is not.
  @NeededWithout('role_name')
  @IsString({ message: 'role_id or role_name must be given, as text' })
  role_id?: string;

  @IsOptional()
  @IsString()
  role_name?: string;

  @AllowNull()
  declare environment?: string | null;
}

@Describes<RestartQuery>({ force: 'Interrupt the task that is running; without it a busy workspace is not restarted.' })
export class RestartQuery {
  @QueryFlag()
  force = false;
}

@Describes<ResumeQuery>({
  from_snapshot: 'Discard what a lost pod left, and begin from the last snapshot: the way on where it cannot be saved (`salvage_failed`).',
})
export class ResumeQuery {
  @QueryFlag()
  from_snapshot = false;
}

@Describes<ListWorkspacesQuery>({
  include_archived: 'Whether archived ones are listed as well.',
  role_name: 'Only those of this role.',
  status: 'Only those in this status.',
})
export class ListWorkspacesQuery extends PageQuery {
  @QueryFlag()
  include_archived = false;

  @QueryText()
  role_name?: string;

  @QueryChoice(WORKSPACE_STATUSES)
  status?: WorkspaceStatus;
}

@Describes<StopWithoutSnapshotBody>({ reason: 'Why; recorded for good.' }, StopWithoutSnapshot.example)
export class StopWithoutSnapshotBody extends PickType(StopWithoutSnapshot, ['reason'] as const) {}
