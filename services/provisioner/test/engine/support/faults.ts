import type { PodDriver } from '../../../src/pods/pod-driver';
import type { SnapshotStore } from '../../../src/snapshots/snapshot-store';

type Method<T> = { [K in keyof T]: T[K] extends (...given: never[]) => Promise<unknown> ? K : never }[keyof T];

/** The same port, but that `fault` is awaited before each call of one method: it throws, or waits, or does nothing. */
function faulty<T extends object, K extends Method<T>>(port: T, method: K, fault: (...given: unknown[]) => unknown): T {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== method) return value.bind(target);
      return async (...given: unknown[]): Promise<unknown> => {
        await fault(...given);
        return (value as (...given: unknown[]) => unknown).apply(target, given);
      };
    },
  });
}

export function faultyDriver(driver: PodDriver, method: Method<PodDriver>, fault: (...given: unknown[]) => unknown): PodDriver {
  return faulty(driver, method, fault);
}

export function faultyStore(store: SnapshotStore, method: Method<SnapshotStore>, fault: (...given: unknown[]) => unknown): SnapshotStore {
  return faulty(store, method, fault);
}

/** A door that is shut until it is opened; says when someone came to it. */
export class Gate {
  open: () => void = () => undefined;
  reach: () => void = () => undefined;
  readonly reached = new Promise<void>((resolve) => (this.reach = resolve));
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));

  async pass(): Promise<void> {
    this.reach();
    await this.opened;
  }
}
