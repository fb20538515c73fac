import { setFlagsFromString } from 'node:v8';

/** V8 reads it at the end of each full collection, so it may be set while the process runs. */
export const HEAP_GROWTH = '--heap-growing-percent=40';

/**
 * Lets the heap grow by two fifths of what is in use until all of it is collected again. By itself V8, where it sees 4 GiB or more, goes up to four
 * times what is in use while much is allocated: a service with 45 MiB in use has 130 in a rush, and keeps the memory (docs/adr/0028-small-heaps.md).
 */
export function keepHeapSmall(): void {
  setFlagsFromString(HEAP_GROWTH);
}
