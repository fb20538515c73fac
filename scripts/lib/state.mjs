// @ts-check
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from './failure.mjs';

/** The checkout that these scripts stand in. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Unpacked programs, the same for every instance of this checkout. */
export const TOOLS = join(ROOT, '.reprise', 'tools');
/** The instance of `npm start`. */
export const instanceFolder = () => join(ROOT, '.reprise');
/** The servers of `npm test`: never those of a running instance. */
export const testFolder = (release = rabbitmqRelease()) => join(ROOT, '.reprise', `test${suffixOf(release)}`);
/** The servers of `npm run test:faults`, which are killed. */
export const faultsFolder = (release = rabbitmqRelease()) => join(ROOT, '.reprise', `faults${suffixOf(release)}`);
/** Whatever tests may have left up. */
export const testFolders = () => [null, RABBITMQ_4].flatMap((release) => [testFolder(release), faultsFolder(release)]);
/** The servers and engines of `npm run test:engines`. */
export const enginesFolder = () => join(ROOT, '.reprise', 'engines');
/** What jest says of the last run. */
export const testReport = () => join(testFolder(), 'report.json');
export const faultsReport = () => join(faultsFolder(), 'report.json');
export const enginesReport = () => join(enginesFolder(), 'report.json');

/** The release of RabbitMQ that tests may ask for by TEST_RABBITMQ_RELEASE. */
export const RABBITMQ_4 = '4';

/** What TEST_RABBITMQ_RELEASE asks for; null: whatever this machine has. @returns {string | null} */
export function rabbitmqRelease() {
  const { TEST_RABBITMQ_RELEASE: release = '' } = process.env;
  if (release !== '' && release !== RABBITMQ_4) throw new Failure(`TEST_RABBITMQ_RELEASE is ${release}; it can only be ${RABBITMQ_4}`);
  return release || null;
}

/** A release that was asked for has folders of its own: RabbitMQ does not start on what a later release has written. @param {string | null} release */
const suffixOf = (release) => (release === null ? '' : `-rabbitmq${release}`);

const HEADER = [
  'How to reach this instance of Reprise, and what it keeps from start to start. It holds secrets.',
  'In a shell: set -a; . ./env; set +a     For a program: node --env-file=env program.js',
  'AMQP_URL and DATABASE_URL are the administrators\u2019: make virtual hosts, users and databases of your own with them.',
];

/**
 * The state folder of one instance: everything that a start makes and the next one finds again. Its file `env` is both the memory
 * (ports, secrets, chosen once) and the directions for others (how to reach every server): a dotenv file that a shell,
 * `node --env-file` and dotenv read alike.
 */
export class State {
  /** @param {string} dir */
  constructor(dir) {
    this.dir = resolve(dir);
    this.file = join(this.dir, 'env');
    mkdirSync(this.dir, { recursive: true });
    // As root, PostgreSQL runs as nobody, who has to pass through here to its own folder. What is secret is closed by itself.
    chmodSync(this.dir, process.getuid?.() === 0 ? 0o711 : 0o700);
    /** @type {Record<string, string>} */
    this.values = existsSync(this.file) ? parseEnv(readFileSync(this.file, 'utf8')) : {};
  }

  /** @param {...string} parts */
  path(...parts) {
    return join(this.dir, ...parts);
  }

  /** A folder in here that is nobody else's to read. @param {...string} parts */
  privateFolder(...parts) {
    const folder = this.path(...parts);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  /** @param {string} key */
  get(key) {
    const value = this.values[key];
    if (value === undefined) throw new Error(`${key} is not in the state yet`);
    return value;
  }

  /** The value kept under a key, made and kept the first time. @param {string} key @param {() => string} make */
  once(key, make) {
    return (this.values[key] ||= make());
  }

  /** Write the file whole or not at all: a start may be killed here like anywhere. */
  save() {
    const text = [...HEADER.map((line) => `# ${line}`), ...Object.entries(this.values).map(([k, v]) => `${k}=${quote(v)}`), ''].join('\n');
    if (existsSync(this.file) && readFileSync(this.file, 'utf8') === text) return;
    const draft = `${this.file}.${process.pid}.new`;
    const handle = openSync(draft, 'w', 0o600);
    writeSync(handle, text);
    fsyncSync(handle);
    closeSync(handle);
    renameSync(draft, this.file);
  }
}

/** @param {string} text @returns {Record<string, string>} */
export function parseEnv(text) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const line of text.split('\n')) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    if (!match?.[1] || match[2] === undefined) continue;
    values[match[1]] = match[2].replace(/^(['"])(.*)\1$/, '$2');
  }
  return values;
}

/** @param {string} value */
function quote(value) {
  if (/^[\w.:/@%+=,-]*$/.test(value)) return value;
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}
