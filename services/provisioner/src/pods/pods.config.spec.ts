import { ConfigError, parseConfig } from '@reprise/platform';
import { PodsConfig } from './pods.config';

const COMMON = { AMQP_URL: 'amqp://u:p@localhost:5672/v', DATABASE_URL: 'postgres://u:p@localhost/d', SNAPSHOTS_DIR: '/snapshots' };
const PROCESS = { ...COMMON, PODS_DIR: '/pods', AGENT_PATH: '/agent.js' };
const DOCKER = { ...COMMON, POD_DRIVER: 'docker', AGENT_IMAGE: 'reprise-agent:1' };

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseConfig(PodsConfig, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('what the provisioner is told of pods', () => {
  it('is what their driver needs, and nothing of another driver', () => {
    expect(problemsOf(PROCESS)).toEqual([]);
    expect(problemsOf(DOCKER)).toEqual([]);
    expect(problemsOf(COMMON).map((line) => line.split(' ')[0])).toEqual(['PODS_DIR', 'AGENT_PATH']);
    expect(problemsOf({ ...COMMON, POD_DRIVER: 'docker' }).map((line) => line.split(' ')[0])).toEqual(['AGENT_IMAGE']);
    expect(problemsOf({ ...PROCESS, DOCKER_HOST: 'nonsense' })).toEqual([]);
  });

  it.each([
    ['POD_DRIVER', 'podman'],
    ['DOCKER_HOST', '/var/run/docker.sock'],
    ['DOCKER_HOST', 'ssh://host'],
    ['DOCKER_INSTANCE', 'With Space'],
    ['DOCKER_INSTANCE', 'x'.repeat(33)],
    ['DOCKER_NETWORK', '-x'],
    ['DOCKER_NETWORK_PER_POD', 'maybe'],
    ['DOCKER_POD_SUBNETS', '10.213.0.0'],
    ['DOCKER_POD_SUBNETS', '10.213.0.1/16'],
    ['DOCKER_POD_SUBNETS', '10.213.0.0/29'],
    ['POD_DEFAULT_MEMORY_MB', '63'],
    ['POD_DEFAULT_CPUS', '0'],
    ['POD_DEFAULT_PIDS', '1'],
    ['DOCKER_CALL_TIMEOUT_SECONDS', '0'],
  ])('is refused where %s is %s', (name, value) => {
    expect(problemsOf({ ...DOCKER, [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must be .*\\(got`))]);
  });

  it.each([
    ['POD_ISOLATION', 'container'],
    ['POD_HIDDEN_PATHS', '/a,b'],
    ['POD_VISIBLE_PATHS', 'relative'],
    ['POD_USERS_FIRST', '0'],
    ['POD_USERS_COUNT', '0'],
  ])('of processes is refused where %s is %s', (name, value) => {
    expect(problemsOf({ ...PROCESS, [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must be .*\\(got`))]);
    expect(problemsOf({ ...DOCKER, [name]: value })).toEqual([]);
  });

  it('names a socket, or an address', () => {
    for (const host of ['unix:///run/user/1000/docker.sock', 'tcp://127.0.0.1:2375', 'tcp://engine']) {
      expect(parseConfig(PodsConfig, { ...DOCKER, DOCKER_HOST: host }).dockerHost).toBe(host);
    }
  });
});
