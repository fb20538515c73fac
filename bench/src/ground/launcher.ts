import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The checkout that this is compiled in. */
export const ROOT = resolve(__dirname, '../../..');

/** `State` of scripts/lib/state.mjs. */
export interface State {
  readonly dir: string;
  readonly values: Record<string, string>;
  get(key: string): string;
  path(...parts: string[]): string;
  privateFolder(...parts: string[]): string;
  save(): void;
}

/** `Progress` of scripts/lib/progress.mjs. */
export interface Progress {
  readonly seconds: string;
  say(text: string): void;
  phase<T>(name: string, work: () => Promise<T>): Promise<T>;
}

interface Given {
  database?: string;
  broker?: string;
  management?: string;
}

interface BringUpOptions {
  packages: 'all';
  durable: boolean;
  given: Given;
  prepare?: { database: () => Promise<unknown>; broker: () => Promise<unknown> };
}

export type ServiceName = 'gateway' | 'lifecycle' | 'provisioner' | 'billing' | 'deadletters';

/** What is used here of scripts/lib. What each promises is said there. */
export interface Launcher {
  readonly State: new (dir: string) => State;
  readonly Progress: new () => Progress;
  bringUp(state: State, progress: Progress, options: BringUpOptions): Promise<void>;
  startDatabase(state: State, options: { durable: boolean }): Promise<void>;
  stopDatabase(state: State): Promise<void>;
  stopBroker(state: State, options?: { durable?: boolean }): Promise<void>;
  decide(state: State): Promise<void>;
  setUp(state: State, part: 'database' | 'broker'): Promise<void>;
  migrate(state: State): Promise<void>;
  envOf(state: State, name: ServiceName, logFormat: 'json'): Record<string, string>;
  migrationEnv(name: ServiceName, from: { values: Record<string, string>; stateDir: string }): Record<string, string>;
  keepPorts(state: State, names: string[]): Promise<void>;
  stopStrayServices(state: State): Promise<number>;
  removePods(state: State): Promise<number>;
  takeLock(file: string, what: string): { release: (() => void) | null; holder: { pid: number; what: string } | null };
  onStopSignal(first: () => void, again: () => void): void;
  abortCommands(): void;
  describe(error: unknown): string;
}

const MODULES = [
  'state',
  'progress',
  'bring-up',
  'infrastructure',
  'instance',
  'service-env',
  'ports',
  'services',
  'pods',
  'lock',
  'console',
  'processes',
  'failure',
];

/** The launcher's modules, which are ES modules without types, and stand outside of what is compiled here. */
export async function loadLauncher(): Promise<Launcher> {
  const files = MODULES.map((name) => pathToFileURL(join(ROOT, 'scripts/lib', `${name}.mjs`)).href);
  const loaded = await Promise.all(files.map((file) => import(file) as Promise<object>));
  return Object.assign({}, ...loaded) as Launcher;
}
