import { endpointOf } from '../tracing/start-tracing';
import { parsePairs } from './pairs';
import { ConfigError, parseConfig } from './parse-config';
import { TracingConfig } from './tracing.config';

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseConfig(TracingConfig, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const endpoint = (env: NodeJS.ProcessEnv) => endpointOf(parseConfig(TracingConfig, env));

describe('the settings of tracing', () => {
  it('are off without an endpoint, and then need nothing', () => {
    expect(endpoint({})).toBeUndefined();
    expect(endpoint({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeUndefined();
    expect(parseConfig(TracingConfig, {})).toMatchObject({ traceSampler: 'parentbased_always_on', traceRatio: 1, traceDelayMs: 5_000 });
  });

  it('put the path of traces beneath the common endpoint, and take the endpoint of traces as it is', () => {
    expect(endpoint({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' })).toBe('http://c:4318/v1/traces');
    expect(endpoint({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/otlp/' })).toBe('https://c/otlp/v1/traces');
    const both = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:1/x' };
    expect(endpoint(both)).toBe('http://t:1/x');
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'must be a URL starting with http:// or https:// (got "collector:4318")'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'must be one of http/protobuf (got "grpc")'],
    ['OTEL_TRACES_SAMPLER', 'sometimes', /must be one of always_on, .*, parentbased_traceidratio \(got "sometimes"\)/],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'must be a number between 0 and 1 (got "1.5")'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'blue', 'must be key=value pairs with commas between them, values percent-encoded (got "blue")'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%', 'its value is a secret and not shown'],
    ['OTEL_BSP_SCHEDULE_DELAY', '1', 'must be an integer between 10 and 60000 (got "1")'],
  ])('say in one line what is wrong with %s=%s', (name, value, said) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} `));
    if (typeof said === 'string') expect(problems[0]).toContain(said);
    else expect(problems[0]).toMatch(said);
  });

  it('read pairs as OpenTelemetry writes them', () => {
    expect(parsePairs('team=blue, region=eu%20west,,key=a=b')).toEqual({ team: 'blue', region: 'eu west', key: 'a=b' });
    expect(parsePairs('')).toEqual({});
    expect(parsePairs('=x')).toBeUndefined();
  });
});
