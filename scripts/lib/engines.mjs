// @ts-check
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure } from './failure.mjs';
import { findProcesses, lastLines, run } from './processes.mjs';
import { ROOT } from './state.mjs';

/**
 * An engine that pods run on in tests.
 * @typedef {object} Engine
 * @property {string} name also a part of the names of its test files
 * @property {string} scripts where the scripts that bring it up and down are
 * @property {string} variable tells tests how to reach it; where it is set already, that engine is used as it is
 * @property {(folder: string) => string} address what the variable says of one that was brought up in this folder
 * @property {(address: string) => Promise<Record<string, string>>} prepare what tests need on it, and the variables that tell them of it
 */

/** @type {Engine[]} */
export const ENGINES = [
  {
    name: 'docker',
    scripts: join(ROOT, 'test', 'engines', 'docker'),
    variable: 'TEST_DOCKER_HOST',
    address: (folder) => `unix://${join(folder, 'docker.sock')}`,
    prepare: async (address) => ({ TEST_AGENT_IMAGE: await buildAgentImage(address) }),
  },
  {
    name: 'kubernetes',
    scripts: join(ROOT, 'test', 'engines', 'kube'),
    variable: 'TEST_KUBECONFIG',
    address: (folder) => join(folder, 'run', 'kubeconfig'),
    prepare: kubernetesTools,
  },
];

/** Why it cannot be brought up on this machine; null where it can. @param {Engine} engine @param {string} folder @returns {string | null} */
export function hindrance(engine, folder) {
  if (!existsSync(join(engine.scripts, 'up.sh'))) return 'there is nothing to bring it up with';
  if (!existsSync('/etc/debian_version')) return 'that needs Debian';
  if (process.getuid?.() !== 0) return 'that needs root';
  // Two of them take the bridge and the firewall's rules from each other.
  const isAnother = (/** @type {string[]} */ args) => basename(args[0] ?? '') === 'dockerd' && !args.includes(join(folder, 'data'));
  if (engine.name === 'docker' && findProcesses(isAnother).length > 0) return 'another engine runs on this machine';
  return null;
}

/** Brings it up, in seconds where it was up in this folder before. @param {Engine} engine @param {string} folder @param {string[]} more for its script */
export async function engineUp(engine, folder, ...more) {
  const { code, output } = await run(join(engine.scripts, 'up.sh'), [folder, ...more], { abortable: true });
  if (code !== 0) throw new Failure(`${engine.name} could not be brought up:`, lastLines(output, 12));
}

/** @param {Engine} engine @param {string} folder */
export async function engineDown(engine, folder) {
  await run(join(engine.scripts, 'down.sh'), [folder]);
}

/** @param {string} host @returns {Promise<string>} the image's name */
async function buildAgentImage(host) {
  const image = 'reprise-agent:test';
  const file = join(ROOT, 'test', 'engines', 'docker', 'agent.Dockerfile');
  const env = { ...process.env, DOCKER_HOST: host, DOCKER_BUILDKIT: '0' };
  const args = ['build', '--quiet', '--network', 'none', '--tag', image, '--file', file, join(ROOT, 'runtime', 'agent', 'dist')];
  const { code, output } = await run('docker', args, { env, abortable: true });
  if (code !== 0) throw new Failure('the agent’s image could not be built:', lastLines(output, 12));
  return image;
}

/** helm and kubectl, for the chart's tests. @returns {Promise<Record<string, string>>} */
async function kubernetesTools() {
  const folder = join(ROOT, '.reprise', 'tools', 'kubernetes');
  const { code, output } = await run('bash', [join(ROOT, 'test', 'engines', 'kube', 'tools.sh'), folder], { abortable: true });
  if (code !== 0) throw new Failure('helm and kubectl could not be fetched:', lastLines(output, 12));
  return { TEST_HELM: join(folder, 'bin', 'helm'), TEST_KUBECTL: join(folder, 'bin', 'kubectl') };
}
