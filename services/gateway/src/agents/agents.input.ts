import { OmitType } from '@nestjs/swagger';
import { ReportTask } from '@reprise/contracts';
import { Transform } from 'class-transformer';
import { AllowNull } from '../input/allow-null.decorator';

/**
 * What a program writes may be any bytes; what cannot be stored of it must not cost the whole report. What is too long is refused whatever is in
 * it, and costs no more than its length.
 */
function Storable(longest: number): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    // Lengths are counted in characters, of which some take two units.
    typeof value === 'string' && value.length <= 2 * longest ? value.replace(/\0|\p{Surrogate}/gu, '\uFFFD') : value,
  );
}

/** The report of a pod's agent about a task; see docs/pod-contract.md. */
export class ReportTaskBody extends OmitType(ReportTask, ['workspace_id', 'pod_generation', 'task_id'] as const) {
  @Storable(524_288)
  @AllowNull()
  declare output?: string;

  @Storable(1_024)
  @AllowNull()
  declare reason?: string;

  @AllowNull()
  declare started_at?: string;

  @AllowNull()
  declare completed_at?: string;
}
