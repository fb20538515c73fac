import type { Broker } from './ground/broker';
import type { Callers } from './ground/callers';
import type { Database } from './ground/database';
import type { Fleet } from './ground/fleet';
import type { Progress, State } from './ground/launcher';
import type { Worlds } from './ground/worlds';
import type { Line } from './harness/line';
import type { Turns } from './harness/turns';
import type { Load } from './load/load';
import type { Options } from './options';
import type { Helper } from './peers/helper';
import type { Echo } from './peers/echo/echo';

/** What a row measures with. */
export interface Bench {
  readonly options: Options;
  /** How many rounds, and the signal that ends them. */
  readonly turns: Turns;
  readonly state: State;
  readonly database: Database;
  readonly broker: Broker;
  readonly worlds: Worlds;
  readonly fleet: Fleet;
  readonly callers: Callers;
  readonly load: Load;
  /** The bare echo, which runs all the while. */
  readonly echo: Echo;
  readonly progress: Progress;
  /** What was found before, for the rows that go by it. */
  readonly found: Findings;
  /** A process of the benchmark's own that is ended with it. @param name of a file in peers/ */
  helper(name: string): Helper;
  /** This many, or fewer where it is only to show that it works. */
  amount(full: number, quick: number): number;
}

export interface Findings {
  /** Restarts accepted per second at 64 connections. */
  acceptedPerSecond?: number;
}

/** One row of the table: what it is called, what it measures, and how. */
export interface Row {
  readonly name: string;
  readonly about: string;
  measure(bench: Bench): Promise<Line[]>;
}
