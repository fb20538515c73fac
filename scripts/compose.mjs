// @ts-check
// npm run test:compose: docker-compose.yml from nothing to the restart of the README, and down again, on the engine that DOCKER_HOST names, on this
// machine's own, or else on one that is brought up for it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from './lib/command-line.mjs';
import { ENGINES, engineDown, engineUp, hindrance } from './lib/engines.mjs';
import { Failure, describe } from './lib/failure.mjs';
import { keepPorts } from './lib/ports.mjs';
import { readmeLines } from './lib/readme-lines.mjs';
import { ROOT, State, enginesFolder } from './lib/state.mjs';

commandLine(
  {
    usage: "usage: npm run test:compose\n\nThe engine is that of DOCKER_HOST, else this machine's own, else one that is brought up for it.",
    options: {},
  },
  () => null,
);

const PROJECT = 'reprise-compose-test';
const SERVICES = ['gateway', 'lifecycle', 'provisioner', 'billing', 'deadletters', 'setup', 'agent'];

/** Where agents, services, metrics, the database and the broker listen. */
const PORTS = [7317, 8080, 9464, 5432, 5672, 15672];
const CREATE = `R=$(curl -sSf -X POST "$API/workspaces" -H "$AUTH" -H "$JSON" -d '{"role_name":"demo"}')`;

const OWN_ENGINE = join(enginesFolder(), 'docker');
const THIS_MACHINES = '/var/run/docker.sock';

/** The engine that was brought up here, and goes in the end. @type {import('./lib/engines.mjs').Engine | null} */
let engine = null;
const folder = mkdtempSync(join(tmpdir(), 'reprise-compose-'));
/** @type {NodeJS.ProcessEnv} */
let env = process.env;
let failed = false;
try {
  env = await environment();
  const times = {
    'images built': timed(build),
    'up --wait': timed(() => command('sh', ['-ec', readmeLines('compose-up')])),
    'the lines of the README, to the last answer': timed(playThrough),
    'pods kept apart': timed(keepApart),
    'up --wait again, with what was kept': timed(comeBack),
  };
  for (const [what, seconds] of Object.entries(times)) console.log(`${what.padEnd(46)} ${seconds.toFixed(1)} s`);
  for (const name of SERVICES) console.log(`${`image reprise-${name}`.padEnd(46)} ${sizeOf(name)} MB`);
} catch (error) {
  failed = true;
  console.error(describe(error));
  console.error(output('docker', ['compose', 'logs', '--no-color', '--tail', '15']));
} finally {
  tearDown();
  if (engine) await engineDown(engine, OWN_ENGINE);
}
console.log(`\n${failed ? '0 passed, 1 failed' : '1 passed, 0 failed'}`);
process.exit(failed ? 1 : 0);

/** A project, ports and secrets of its own: an instance that runs here is left alone. */
async function environment() {
  const host = process.env.DOCKER_HOST ?? (existsSync(THIS_MACHINES) ? `unix://${THIS_MACHINES}` : await bringUpEngine());
  if (!host.startsWith('unix://')) throw new Failure(`DOCKER_HOST must be a unix socket, which the provisioner mounts; it is ${host}`);
  const socket = host.slice('unix://'.length);
  const state = new State(folder);
  await keepPorts(state, ['GATEWAY_PORT']);
  return {
    ...process.env,
    COMPOSE_PROJECT_NAME: PROJECT,
    REPRISE_VERSION: 'compose-test',
    REPRISE_SECRETS: join(folder, 'secrets'),
    GATEWAY_PORT: state.get('GATEWAY_PORT'),
    DOCKER_HOST: host,
    ...(engine ? { DOCKER_CONFIG: join(OWN_ENGINE, 'config') } : {}),
    DOCKER_SOCKET: socket,
    DOCKER_GID: String(statSync(socket).gid),
  };
}

/** With Compose, and stand-ins for the images of PostgreSQL and RabbitMQ. @returns {Promise<string>} its address */
async function bringUpEngine() {
  const [docker] = ENGINES.filter(({ name }) => name === 'docker');
  if (!docker) throw new Failure('there is no Docker engine');
  const why = hindrance(docker, OWN_ENGINE);
  if (why !== null) throw new Failure(`DOCKER_HOST names no engine, this machine has none, and none can be brought up: ${why}`);
  engine = docker;
  const start = performance.now();
  await engineUp(docker, OWN_ENGINE, 'servers');
  console.log(`${'a Docker engine of its own'.padEnd(46)} ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  return docker.address(OWN_ENGINE);
}

/** One after the other: the legacy builder would make what the images have in common once for each. */
function build() {
  command('docker', ['compose', '--parallel', '1', 'build']);
}

/** What a reader of the README does, and whether the workspace remembers what it was told before its restart, stop and resume. */
function playThrough() {
  const said = command('bash', ['-ec', `${readmeLines('compose-token')}\n${readmeLines('compose-try')}`]);
  const ended = said.match(/"status":"succeeded"/g) ?? [];
  if (ended.length < 4) throw new Failure('not every operation succeeded:', said);
  if (!/I remember 2 message\(s\)\. The first was: My name is Alice/.test(said))
    throw new Failure('the conversation was not carried:', said);
}

/** Pods reach the gateway alone: no other pod, metrics, broker, database or other service, by name or address. */
function keepApart() {
  const said = command('bash', ['-ec', `${readmeLines('compose-token')}\n${CREATE}; ended`]);
  if (!/"status":"succeeded"/.test(said)) throw new Failure('a second workspace was not made:', said);
  const pods = containers('label=reprise.kind=pod', `label=reprise.instance=${PROJECT}`);
  if (pods.length !== 2) throw new Failure(`there are ${pods.length} pods, not 2`);
  const services = `label=com.docker.compose.project=${PROJECT}`;
  const [gateway = ''] = containers(services, 'label=com.docker.compose.service=gateway');
  const names = ['gateway', 'gateway-backend', 'provisioner', 'provisioner-backend', 'lifecycle', 'postgres', 'rabbitmq'];
  const hosts = [...names, ...addresses(...pods, ...containers(services))];
  for (const pod of pods) {
    const [own = ''] = addresses(pod);
    const [network = ''] = inspected('{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}', pod);
    const [address = ''] = inspected(`{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, gateway);
    const targets = hosts.filter((host) => host !== own).flatMap((host) => PORTS.map((port) => `${host}:${port}`));
    const reached = reachedFrom(pod, targets).join(', ');
    const allowed = `gateway:8080, ${address}:8080`;
    if (reached !== allowed) throw new Failure(`a pod should reach ${allowed}, and reaches ${reached || 'nothing'}`);
  }
}

/** Which of these a program in the pod gets a connection to. @param {string} pod @param {string[]} targets @returns {string[]} */
function reachedFrom(pod, targets) {
  const program = `
    for (const target of ${JSON.stringify(targets)}) {
      const [host, port] = target.split(':');
      const socket = require('node:net').connect({ host, port });
      const end = () => socket.destroy();
      socket.setTimeout(5000, end).once('error', end).once('connect', () => { process.stdout.write(target + '\\n'); end(); });
    }`;
  const node = ['/reprise/lib/ld.so', '--library-path', '/reprise/lib', '/reprise/bin/node', '-e', program];
  const reached = command('docker', ['exec', pod, ...node]).split('\n');
  return targets.filter((target) => reached.includes(target));
}

/** The containers that all of these filters meet. @param {string[]} filters @returns {string[]} */
function containers(...filters) {
  const said = output('docker', ['ps', '--quiet', ...filters.flatMap((filter) => ['--filter', filter])]);
  return said.split('\n').filter(Boolean);
}

/** Every address that these containers have. @param {string[]} ids @returns {string[]} */
function addresses(...ids) {
  return [...new Set(inspected('{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', ...ids))];
}

/** @param {string} format @param {string[]} ids @returns {string[]} its words */
function inspected(format, ...ids) {
  const said = output('docker', ['inspect', '--format', format, ...ids]);
  return said.split(/\s+/).filter(Boolean);
}

/** All containers are replaced; the workspace is there, with its conversation, and its pod is reached again. */
function comeBack() {
  command('docker', ['compose', 'down']);
  command('docker', ['compose', 'up', '--wait']);
  const list = `R=$(curl -sSf "$API/workspaces" -H "$AUTH"); echo "$R"; WS=$(pick ws); say 'Hello again.'`;
  const said = command('bash', ['-ec', `${readmeLines('compose-token')}\n${list}`]);
  if (!/"status":"idle"/.test(said)) throw new Failure('the workspace is not idle after all containers were replaced:', said);
  if (!/"status":"completed"/.test(said)) throw new Failure('a pod from before was not reached:', said);
}

/** Pods are not compose's: they are found by what the provisioner wrote on them. */
function tearDown() {
  const label = `label=reprise.instance=${PROJECT}`;
  const pods = output('docker', ['ps', '--all', '--quiet', '--filter', label]).split('\n').filter(Boolean);
  if (pods.length > 0) output('docker', ['rm', '--force', ...pods]);
  output('docker', ['compose', 'down', '--volumes', '--remove-orphans']);
  const volumes = output('docker', ['volume', 'ls', '--quiet', '--filter', label]).split('\n').filter(Boolean);
  if (volumes.length > 0) output('docker', ['volume', 'rm', ...volumes]);
  const networks = output('docker', ['network', 'ls', '--quiet', '--filter', label]).split('\n').filter(Boolean);
  if (networks.length > 0) output('docker', ['network', 'rm', ...networks]);
  rmSync(folder, { recursive: true, force: true });
}

/** @param {() => unknown} work */
function timed(work) {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1_000;
}

/** @param {string} name */
function sizeOf(name) {
  const bytes = execFileSync('docker', ['image', 'inspect', '--format', '{{.Size}}', `reprise-${name}:compose-test`], {
    env,
    encoding: 'utf8',
  });
  return Math.round(Number(bytes) / 1_000_000);
}

/** @param {string} program @param {string[]} args @returns {string} both streams */
function command(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 1e8 });
  if (status !== 0) throw new Failure(`${program} ${args[0]} ended with ${status}:`, `${stdout}${stderr}`.slice(-4_000));
  return stdout;
}

/** Whatever it says, however it ends. @param {string} program @param {string[]} args */
function output(program, args) {
  return spawnSync(program, args, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 1e8 }).stdout ?? '';
}
