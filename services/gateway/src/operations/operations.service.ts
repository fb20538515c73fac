import { Injectable } from '@nestjs/common';
import { GetOperation, type OperationView } from '@reprise/contracts';
import { Lifecycle } from '../commands/lifecycle.service';
import type { Asking } from '../input/ask.decorator';
import { Waiting } from '../waiting/waiting.service';

/** Operations, and waiting for their end. */
@Injectable()
export class OperationsService {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly waiting: Waiting,
  ) {}

  /**
   * The operation as it is when it ends, when `waitMs` are over, or when the caller has gone, whichever is first.
   * @throws ApiError
   */
  get(asking: Asking, operation_id: string, waitMs: number, gone: AbortSignal): Promise<OperationView> {
    const look = (): Promise<OperationView> => this.lifecycle.query<GetOperation, OperationView>(GetOperation, asking, { operation_id });
    return this.waiting.until({ id: operation_id, asking, look, isEnded }, waitMs, gone);
  }
}

function isEnded({ status }: OperationView): boolean {
  return status !== 'pending' && status !== 'running';
}
