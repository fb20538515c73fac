import type { Row } from '../bench';
import { accept } from './accept';
import { acceptLatency } from './accept-latency';
import { growth } from './growth';
import { hostile } from './hostile';
import { oneAtATime } from './one-at-a-time';
import { pods } from './pods';
import { read } from './read';
import { refuse } from './refuse';
import { rest } from './rest';
import { snapshot } from './snapshot';
import { start } from './start';
import { stock } from './stock';
import { whole } from './whole';

/** All rows, in the order in which they are measured: what `growth` needs is made while `rest` waits. */
export const ROWS: readonly Row[] = [
  accept,
  acceptLatency,
  refuse,
  hostile,
  read,
  stock,
  whole,
  pods,
  oneAtATime,
  snapshot,
  rest,
  growth,
  start,
];
