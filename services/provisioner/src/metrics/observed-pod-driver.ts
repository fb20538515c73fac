import type { Metrics } from '@reprise/platform';
import {
  type PodDriver,
  PodError,
  type PodHandle,
  type PodIdentity,
  type PodSpec,
  type PodState,
  type RemoveOptions,
} from '../pods/pod-driver';
import { CallTimer } from './call-timer';
import { POD_DRIVER_CALL_DURATION } from './provisioner.metrics';

/** Any pod driver, with its calls counted and timed. */
export class ObservedPodDriver implements PodDriver {
  private readonly timer: CallTimer;

  constructor(
    private readonly driver: PodDriver,
    metrics: Metrics,
  ) {
    this.timer = new CallTimer(metrics.histogram(POD_DRIVER_CALL_DURATION), (error) =>
      error instanceof PodError ? error.reason : 'unknown',
    );
  }

  create(spec: PodSpec): Promise<PodHandle> {
    return this.timer.time('create', () => this.driver.create(spec));
  }

  remove(pod: PodIdentity, options: RemoveOptions): Promise<void> {
    return this.timer.time('remove', () => this.driver.remove(pod, options));
  }

  salvage(spec: PodSpec): Promise<PodHandle> {
    return this.timer.time('salvage', () => this.driver.salvage(spec));
  }

  inspect(pod: PodIdentity): Promise<PodState | null> {
    return this.timer.time('inspect', () => this.driver.inspect(pod));
  }

  list(): Promise<PodState[]> {
    return this.timer.time('list', () => this.driver.list());
  }

  weakness(): Promise<string | null> {
    return this.driver.weakness?.() ?? Promise.resolve(null);
  }

  fences(): Promise<PodIdentity[]> {
    return this.timer.time('fences', () => this.driver.fences());
  }
}
