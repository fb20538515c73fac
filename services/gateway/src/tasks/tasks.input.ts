import { OmitType } from '@nestjs/swagger';
import { SubmitTask } from '@reprise/contracts';
import { Describes } from '../docs/describes.decorator';

@Describes<SubmitTaskBody>({ description: "The task's text; the command of the role reads it on standard input." }, SubmitTask.example)
export class SubmitTaskBody extends OmitType(SubmitTask, ['workspace_id', 'caller', 'idempotency'] as const) {}
