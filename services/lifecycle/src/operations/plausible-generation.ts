import { isPlausibleGeneration } from '@reprise/contracts';
import { DeadLetter } from '@reprise/messaging';

/**
 * Holds a fact of the provisioner's to the generations that there can be. It would change nothing, or worse, what is to come.
 * @param known the highest generation of the workspace, or of the operation that the fact is about
 * @throws DeadLetter `implausible_generation`
 */
export function mustBePlausible(generation: number, known: number): void {
  if (isPlausibleGeneration(generation, known)) return;
  throw new DeadLetter('implausible_generation', `The generation ${generation} is too far above ${known}, the highest that is known`);
}
