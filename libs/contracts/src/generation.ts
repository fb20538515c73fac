/**
 * How far a generation may be above the highest one that is known. Every accepted operation raises it by one, so messages that overtake each other
 * leave small gaps; one beyond this is a mistake or a forgery, and would fence off everything that follows.
 */
export const LARGEST_GENERATION_GAP = 1_000;

/** Whether a message's generation is believable for a workspace whose highest known one is `known`; 0 where none is known. */
export function isPlausibleGeneration(generation: number, known: number): boolean {
  return generation <= known + LARGEST_GENERATION_GAP;
}
