import type { DeadLetterStatus } from '@reprise/contracts';

/** Whether the letter waits for an operator: only then can it be replayed. */
export function waits(status: DeadLetterStatus): boolean {
  return status === 'open' || status === 'failed_again';
}

/** Whether it can be given up: while it waits, and while it is only about to be sent. */
export function discardable(status: DeadLetterStatus): boolean {
  return waits(status) || status === 'replaying';
}

/**
 * What a letter becomes when its message dies once more.
 * @param sentAgain whether the copy that died is one that a replay has sent, and that is not yet known to be sent
 */
export function afterDeath(status: DeadLetterStatus, sentAgain: boolean): DeadLetterStatus {
  switch (status) {
    case 'open':
    case 'failed_again':
      return status;
    case 'replayed':
      return 'failed_again';
    case 'replaying':
      // Else it is an older copy that has died late: the one that is to be sent has not been tried yet.
      return sentAgain ? 'failed_again' : 'replaying';
    case 'discarded':
      // Someone has sent it once more since it was given up; that is for an operator to see.
      return 'open';
  }
}
