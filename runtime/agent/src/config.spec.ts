import { ConfigError, readConfig } from './config';

const ENV = {
  REPRISE_WORKSPACE_ID: 'ws_1',
  REPRISE_GENERATION: '3',
  REPRISE_POD_TOKEN: 'the-token',
  REPRISE_WORKSPACE_DIR: '/workspace/',
  REPRISE_GATEWAY_URL: 'http://gateway:3000',
};
const problems = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig({ ...ENV, ...env });
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
};

describe('the configuration', () => {
  it('needs five values and takes the rest for granted', () => {
    expect(readConfig(ENV)).toMatchObject({
      generation: 3,
      workspaceDir: '/workspace',
      host: '127.0.0.1',
      port: 0,
      command: [],
      podMark: 'ws_1/3',
    });
  });

  it('names every missing value at once', () => {
    expect(() => readConfig({})).toThrow(ConfigError);
    expect(problems(Object.fromEntries(Object.keys(ENV).map((name) => [name, ''])))).toHaveLength(5);
  });

  it.each([
    [{ REPRISE_GENERATION: '0' }],
    [{ REPRISE_GENERATION: '1.5' }],
    [{ REPRISE_PORT: '70000' }],
    [{ REPRISE_WORKSPACE_DIR: 'relative' }],
    [{ REPRISE_GATEWAY_URL: 'ftp://x' }],
    [{ REPRISE_GATEWAY_URL: 'nonsense' }],
    [{ REPRISE_COMMAND: '"sh"' }],
    [{ REPRISE_COMMAND: '[1]' }],
    [{ REPRISE_COMMAND: '[' }],
    [{ REPRISE_ENV: '[]' }],
    [{ REPRISE_ENV: '{"A":1}' }],
    [{ REPRISE_ENV: '{"A=B":"x"}' }],
    [{ REPRISE_TASK_TIMEOUT_SECONDS: '0' }],
  ])('refuses %p', (env) => {
    expect(problems(env as Record<string, string>)).toHaveLength(1);
  });

  it("lets a role set what it likes but the pod's own marks", () => {
    const env = JSON.stringify({ PATH: '/role/bin', REPRISE_POD: 'forged', REPRISE_WORKSPACE_ID: 'forged' });
    expect(readConfig({ ...ENV, PATH: '/bin', SECRET: 'x', REPRISE_ENV: env }).taskEnv).toEqual({
      PATH: '/role/bin',
      REPRISE_POD: 'ws_1/3',
      REPRISE_WORKSPACE_ID: 'ws_1',
    });
  });
});
