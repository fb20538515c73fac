import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { CHECK_TIMEOUT_MS, type HealthIndicator, within } from './indicator';
import { ReadinessGate } from './readiness-gate';

export const HEALTH_INDICATORS = Symbol('health indicators');

/** The answer of the readiness route. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly body: Pick<HealthCheckResult, 'status' | 'details'>;
}

/** Runs the indicators and says which of them fail; a change for the worse or the better is logged once. */
@Injectable()
export class Readiness {
  private readonly logger = new Logger('Health');
  private readonly running = new Map<HealthIndicator, Promise<void>>();
  private readonly failing = new Set<HealthIndicator>();

  constructor(
    @Inject(HEALTH_INDICATORS) private readonly indicators: readonly HealthIndicator[],
    private readonly gate: ReadinessGate,
    private readonly health: HealthCheckService,
    private readonly results: HealthIndicatorService,
  ) {}

  async report(): Promise<ReadinessReport> {
    const checks = this.indicators.map((indicator) => () => this.run(indicator));
    const { status, details } = await this.health.check([() => this.gateResult(), ...checks]).catch(reportOf);
    return { ready: status === 'ok', body: { status, details } };
  }

  private gateResult(): HealthIndicatorResult {
    const result = this.results.check('process');
    return this.gate.state === 'open' ? result.up() : result.down(this.gate.state);
  }

  private async run(indicator: HealthIndicator): Promise<HealthIndicatorResult> {
    const result = this.results.check(indicator.name);
    try {
      await within(CHECK_TIMEOUT_MS, this.once(indicator));
    } catch (error) {
      if (!this.failing.has(indicator)) this.logger.warn({ err: error }, `${indicator.name} is down`);
      this.failing.add(indicator);
      // The reason may name hosts and roles, and the route is open to everyone: it goes to the log alone.
      return result.down();
    }
    if (this.failing.delete(indicator)) this.logger.log(`${indicator.name} is up again`);
    return result.up();
  }

  /** A check that hangs is not started again by each probe: they would use up the very pool they ask about. */
  private once(indicator: HealthIndicator): Promise<void> {
    const running = this.running.get(indicator);
    if (running !== undefined) return running;
    // In an async function, so that a check that throws at once is a rejection like any other.
    const started = (async () => indicator.check())().finally(() => this.running.delete(indicator));
    this.running.set(indicator, started);
    return started;
  }
}

function reportOf(error: unknown): HealthCheckResult {
  if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
  throw error;
}
