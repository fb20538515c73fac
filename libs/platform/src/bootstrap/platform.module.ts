import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { Clock } from '../clock/clock';
import { Metrics } from '../metrics/metrics';
import { MetricsServer } from '../metrics/metrics-server';

/** What the whole of a service may inject: its config, by its own class and by each base class, the clock and the metrics. */
@Module({})
export class PlatformModule {
  static forRoot(options: { readonly config: object }): DynamicModule {
    const providers = [Clock, Metrics, MetricsServer, ...configProviders(options.config)];
    return { module: PlatformModule, global: true, providers, exports: providers };
  }
}

function configProviders(config: object): Provider[] {
  const providers: Provider[] = [];
  let at = Object.getPrototypeOf(config) as { constructor: new () => object } | null;
  while (at !== null && at.constructor !== Object) {
    providers.push({ provide: at.constructor, useValue: config });
    at = Object.getPrototypeOf(at) as typeof at;
  }
  return providers;
}
