import { OmitType } from '@nestjs/swagger';
import { ReportTask } from '@reprise/contracts';
import { Transform } from 'class-transformer';
import { AllowNull } from '../input/allow-null.decorator';

/** What a program writes may be any bytes; what cannot be stored of it must not cost the whole report. */
function Storable(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.replace(/\0|\p{Surrogate}/gu, '\uFFFD') : value));
}

/** The report of a pod's agent about a task; see docs/pod-contract.md. */
export class ReportTaskBody extends OmitType(ReportTask, ['workspace_id', 'pod_generation', 'task_id'] as const) {
  @Storable()
  @AllowNull()
  declare output?: string;

  @Storable()
  @AllowNull()
  declare reason?: string;

  @AllowNull()
  declare started_at?: string;

  @AllowNull()
  declare completed_at?: string;
}
