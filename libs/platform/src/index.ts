export { BatchLoader } from './batching/batch-loader';
export { Gathering } from './batching/gathering';
export { Clock } from './clock/clock';
export { ManualClock } from './clock/manual-clock';
export { type ConfigClass, Env, type EnvOptions, type EnvType, type EnvValue, type EnvVariable } from './config/env.decorator';
export { DatabaseServiceConfig, MigrationConfig } from './config/database.config';
export { type ConfigDescription, describeConfig } from './config/describe-config';
export { loadConfig } from './config/load-config';
export { ConfigError, parseConfig } from './config/parse-config';
export { DiffersFrom, IsReadableFile, IsUrlOf } from './config/rules';
export { LogConfig, type LogFormat, type LogLevel, ServiceConfig } from './config/service.config';
export { addToContext, currentContext, type RequestContext, runWith } from './context/context';
export { childTraceparent, newTraceparent, parseTraceparent, type Traceparent } from './context/traceparent';
export { clientAddress } from './bootstrap/client-address';
export { type HttpOptions, httpAdapter } from './bootstrap/http-adapter';
export { hangUpWhenStopping } from './bootstrap/hang-up-when-stopping';
export { PlatformModule } from './bootstrap/platform.module';
export { startService, type StartOptions, type TransportStrategy } from './bootstrap/start-service';
export {
  isConnectionRefused,
  isDatabaseOutage,
  isDivisionByZero,
  isLockTimeout,
  isLostConnection,
  isStatementTimeout,
  isTransactionConflict,
  isTransientDatabaseError,
  isUniqueViolation,
} from './database/errors';
export { databaseIndicator } from './database/indicator';
export { checkNewConnection } from './database/new-connection';
export { inTransaction, type TransactionOptions } from './database/transaction';
export { HealthController } from './health/health.controller';
export { HealthModule, type HealthModuleAsyncOptions, type HealthModuleOptions } from './health/health.module';
export { CHECK_TIMEOUT_MS, type HealthIndicator, within } from './health/indicator';
export { ReadinessGate } from './health/readiness-gate';
export { Findings } from './input/findings';
export { DEEPEST, JsonError, MOST_VALUES, parseJson } from './input/json';
export { readData, type ReadOptions } from './input/read-data';
export { findUnstorable } from './input/storable';
export { createLogger, type LoggerOptions } from './logging/logger';
export { makeStacksReadable } from './logging/readable-stacks';
export { redactText } from './logging/redact';
export { LabelLimit, OTHER } from './metrics/label-limit';
export { counter, type CounterSpec, gauge, type GaugeSpec, histogram, type HistogramSpec, type MetricSpec } from './metrics/metric-spec';
export { type Counter, type Gauge, type Histogram, Metrics } from './metrics/metrics';
export { PLATFORM_METRICS } from './metrics/platform.metrics';
export { type SampleOptions } from './metrics/sample';
export { capText } from './text/cap-text';
export { capValue } from './text/cap-value';
export { certificateProblem } from './tls/certificate-problem';
export { databaseTls } from './tls/database-tls';
export { errorType } from './tracing/attributes';
export { inSpan } from './tracing/in-span';
export { annotateSpan, failSpan, type SpanOptions } from './tracing/open-span';
export { startTracing, type Tracing } from './tracing/start-tracing';
export { inTransactionSpan } from './tracing/transaction-span';
