// What the image `setup` does where it is given parts to do, in their order: database | broker | migrations.
//
//   database, broker   `reprise setup`, with the administrators' DATABASE_URL and AMQP_URL and everybody's passwords
//   migrations         the migrations of each service, with that service's own <SERVICE>_DATABASE_URL
//
// Each variable may be given as a file, by <NAME>_FILE. All of it can be repeated at any time, by several at once.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WITH_DATABASE = ['lifecycle', 'provisioner', 'billing', 'deadletters'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PARTS = {
  database: () => run('cli/dist/main.js', ['setup', 'database']),
  broker: () => run('cli/dist/main.js', ['setup', 'broker']),
  migrations: () => WITH_DATABASE.forEach(migrate),
};

const parts = process.argv.slice(2);
const unknown = parts.filter((part) => !(part in PARTS));
if (parts.length === 0 || unknown.length > 0) {
  console.error(`usage: set-up.mjs ${Object.keys(PARTS).join('|')} …`);
  process.exit(2);
}
for (const part of parts) PARTS[part]();

/** @param {string} service */
function migrate(service) {
  const prefix = `${service.toUpperCase()}_DATABASE_URL`;
  const { DATABASE_URL: _, DATABASE_URL_FILE: __, ...others } = process.env;
  run(`services/${service}/dist/migrate.js`, [], {
    ...others,
    DATABASE_URL: process.env[prefix] ?? '',
    DATABASE_URL_FILE: process.env[`${prefix}_FILE`] ?? '',
  });
}

/** A part that fails ends it all with its own exit code: what comes after it builds on it. */
function run(script, args, env = process.env) {
  const { status, signal } = spawnSync(process.execPath, [script, ...args], { cwd: ROOT, env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0));
}
