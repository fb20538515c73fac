import type { Row } from '../bench';
import { accept } from './accept';
import { acceptLatency } from './accept-latency';
import { read } from './read';
import { refuse } from './refuse';
import { stock } from './stock';
import { whole } from './whole';

/** All rows, in the order in which they are measured. */
export const ROWS: readonly Row[] = [accept, acceptLatency, refuse, read, stock, whole];
