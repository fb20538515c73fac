import { type DynamicModule, type FactoryProvider, Module, type ModuleMetadata, type Provider } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller';
import type { HealthIndicator } from './indicator';
import { Readiness, HEALTH_INDICATORS } from './readiness';
import { ReadinessGate } from './readiness-gate';

export interface HealthModuleOptions {
  readonly indicators: readonly HealthIndicator[];
}

/** How to make the indicators out of what the service's modules provide. */
export interface HealthModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject'];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are whatever `inject` names
  readonly useFactory: (...dependencies: any[]) => readonly HealthIndicator[] | Promise<readonly HealthIndicator[]>;
}

/** `GET /health/live` and `GET /health/ready`. Every service has it; {@link startService} relies on its gate. */
@Module({})
export class HealthModule {
  static forRoot(options: HealthModuleOptions): DynamicModule {
    return moduleWith({ provide: HEALTH_INDICATORS, useValue: options.indicators });
  }

  static forRootAsync(options: HealthModuleAsyncOptions): DynamicModule {
    const { inject = [], useFactory } = options;
    return moduleWith({ provide: HEALTH_INDICATORS, inject, useFactory }, options.imports);
  }
}

function moduleWith(indicators: Provider, imports: ModuleMetadata['imports'] = []): DynamicModule {
  return {
    module: HealthModule,
    imports: [TerminusModule.forRoot({ logger: false }), ...imports],
    controllers: [HealthController],
    providers: [indicators, Readiness, ReadinessGate],
    exports: [ReadinessGate],
  };
}
