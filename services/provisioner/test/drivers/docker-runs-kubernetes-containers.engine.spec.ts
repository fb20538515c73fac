import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { podOf } from '../../src/pods/kubernetes/pod-object';
import { NO_TEMPLATE } from '../../src/pods/kubernetes/pod-template';
import { ANY_RUNTIME } from '../../src/pods/pod-driver';
import { newSpec } from '../testing/workspaces';
import { describeWith, dockerEngine } from './support/engines';

const engine = dockerEngine();
const IMAGE = 'debian:bookworm-slim';

/** The containers of a pod on Kubernetes, run as its security context has it: what the API alone cannot show. */
describeWith(engine, 'Docker engine', 'the containers of a pod on Kubernetes', () => {
  const volume = `reprise-test-${randomBytes(4).toString('hex')}`;
  const docker = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, DOCKER_HOST: engine!.host };
    const { stdout } = await promisify(execFile)('docker', args, { env });
    return stdout.trim();
  };
  /** Runs a command as a restricted container, with a read-only root. */
  const run = (image: string, mount: string, [program, ...args]: readonly string[]): Promise<string> => {
    const restricted = [
      '--read-only',
      '--user',
      '1000:1000',
      '--cap-drop',
      'ALL',
      '--security-opt',
      'no-new-privileges',
      '--network',
      'none',
    ];
    return docker('run', '--rm', ...restricted, '--volume', `${volume}:${mount}`, '--entrypoint', program!, image, ...args);
  };
  const pod = podOf(
    newSpec({ runtime: { ...ANY_RUNTIME, image: IMAGE, readOnlyRoot: true } }),
    {
      namespace: 'n',
      instance: 'i',
      agentImage: engine?.agentImage ?? '',
      agentPort: 8_700,
      gatewayUrl: 'http://gateway',
      storage: { kind: 'emptyDir' },
      template: NO_TEMPLATE,
      graceSeconds: 5,
    },
    [],
    'x',
  );

  beforeAll(async () => {
    await docker('volume', 'create', volume);
    // An emptyDir is open to all of its pod.
    const open = ['--user', '0', '--network', 'none', '--volume', `${volume}:/agent`, '--entrypoint', 'chmod'];
    await docker('run', '--rm', ...open, engine!.agentImage, '0777', '/agent');
  });
  afterAll(() => docker('volume', 'rm', '--force', volume));

  it('bring the agent, with its own Node, into an image that has none', async () => {
    const [copy] = pod.spec!.initContainers!;
    const [agent] = pod.spec!.containers;
    await run(copy!.image!, '/agent', copy!.command!);
    const begun = run(agent!.image!, '/reprise:ro', agent!.command!);
    // Without an environment it ends, in its own words: so it runs.
    await expect(begun).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('REPRISE_WORKSPACE_ID is required') });
  });
});
