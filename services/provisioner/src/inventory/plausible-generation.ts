import { isPlausibleGeneration } from '@reprise/contracts';
import { DeadLetter } from '@reprise/messaging';

/** @param known the workspace's highest accepted generation; 0 where there is none @throws DeadLetter `implausible_generation` */
export function mustBePlausible(workspaceId: string, generation: number, known: number): void {
  if (!isPlausibleGeneration(generation, known)) throw implausibleGeneration(workspaceId, generation);
}

/** The end of a command that could only be applied by fencing off all that follows. */
export function implausibleGeneration(workspaceId: string, generation: number): DeadLetter {
  return new DeadLetter('implausible_generation', `The generation ${generation} is too far above what ${workspaceId} has had`);
}
