import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceConfig } from '../config/service.config';
import { ReadinessGate } from '../health/readiness-gate';
import { createLogger } from '../logging/logger';
import { loggingModule } from '../logging/logging.module';
import { makeStacksReadable } from '../logging/readable-stacks';
import { ServiceLogger } from '../logging/service-logger';
import { MetricsServer } from '../metrics/metrics-server';
import { observeRequests } from '../metrics/observe-requests';
import { exitAtStart, exitOnUnhandled } from './failure';
import { startTracing } from '../tracing/start-tracing';
import { TracingModule } from '../tracing/tracing.module';
import { hangUpWhenStopping } from './hang-up-when-stopping';
import { keepHeapSmall } from './heap';
import { httpAdapter, type HttpOptions } from './http-adapter';
import { listenAddress } from './listen-address';
import { PlatformModule } from './platform.module';
import { stopOnSignal } from './shutdown';

/** The part of Nest's `CustomTransportStrategy` that is used here, so that this library needs no transport. */
export interface TransportStrategy {
  listen(callback: (...optionalParams: unknown[]) => unknown): unknown;
  close(): unknown;
}

export interface StartOptions {
  /** On every log line. */
  readonly name: string;
  /** The service's root module; it imports {@link HealthModule}. */
  readonly module: Type | DynamicModule;
  readonly config: ServiceConfig;
  readonly http?: HttpOptions;
  /** Global pipes, filters, guards, prefixes, before anything is initialised. */
  readonly configure?: (app: NestFastifyApplication) => void | Promise<void>;
  /** The transport whose messages the controllers handle, out of what the application provides. */
  readonly strategy?: (app: NestFastifyApplication) => TransportStrategy;
}

/**
 * Runs a service until it is told to stop. It answers `/health/live` first, takes messages next, and is ready (and
 * says so in one log line) last. What keeps it from starting is said in one line, with exit code 1.
 */
export async function startService(options: StartOptions): Promise<NestFastifyApplication> {
  makeStacksReadable();
  keepHeapSmall();
  const { name, config } = options;
  const logger = createLogger({ name, level: config.logLevel, format: config.logFormat });
  exitOnUnhandled(logger);
  try {
    const adapter = httpAdapter(logger, options.http);
    const tracing = TracingModule.forRoot(await startTracing(name, config));
    const root = { module: ServiceRoot, imports: [PlatformModule.forRoot({ config }), loggingModule(logger), tracing, options.module] };
    // Nest would exit by itself, and say nothing that a person can act on.
    const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
      logger: new ServiceLogger(logger),
      abortOnError: false,
    });
    const gate = app.get(ReadinessGate, { strict: false });
    gate.hold();
    observeRequests(app);
    await options.configure?.(app);
    // After it: a service may put a listener of its own in place of the server's.
    hangUpWhenStopping(app);
    if (options.strategy) app.connectMicroservice({ strategy: options.strategy(app) }, { inheritAppConfig: false });
    stopOnSignal(app, logger, config.shutdownTimeoutSeconds);
    // Before the transport: a broker that is late must not make the process look dead.
    await app.listen({ host: await listenAddress('HTTP_HOST', config.httpHost), port: config.httpPort });
    const metricsHost = await listenAddress('METRICS_HOST', config.metricsHost);
    await app.get(MetricsServer, { strict: false }).listen(metricsHost, config.metricsPort);
    await app.startAllMicroservices();
    gate.open();
    logger.info({ url: await app.getUrl(), start_ms: Math.round(performance.now()) }, 'ready');
    return app;
  } catch (error) {
    return exitAtStart(logger, error);
  }
}

class ServiceRoot {}
