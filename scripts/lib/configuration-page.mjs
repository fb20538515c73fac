import { SERVICES } from './service-names.mjs';
import { FIXED, settingsOf } from './service-settings.mjs';

/** A list, in lines that are not too long. @param {string[]} names */
function wrapped(names) {
  return names.map((name, n) => (n === 0 ? '' : n % 6 === 0 ? ',\n' : ', ') + name).join('');
}

const INTRODUCTION = `# Configuration

_Made by \`npm run docs\` from the config class of each service; change it there._

Every setting is an environment variable. An empty variable counts as unset. A service reads them once, at its start; where
one is wrong, it says so in one line for each and exits with 1. The value of a secret is never printed. A secret may stand in a
file instead: \`POD_TOKEN_SECRET_FILE=/run/secrets/pod_token_secret\` in place of \`POD_TOKEN_SECRET\`, and so for each of them.
\`migrate.js\` of a service with a database needs \`DATABASE_URL\` alone, and heeds \`DATABASE_CA_FILE\`, \`LOG_LEVEL\` and \`LOG_FORMAT\`.

\`npm start\` passes on what stands in \`.reprise/env\`, or in its own environment, which goes first. Ports are
\`<SERVICE>_PORT\` and \`<SERVICE>_METRICS_PORT\` in \`.reprise/env\`. It decides these itself, and ignores what is given for them:
${wrapped([...FIXED].map((name) => `\`${name}\``))}.
With \`DATABASE_URL\` or \`AMQP_URL\` in its environment it uses those servers.
`;

/**
 * The text of docs/configuration.md: a table for each service.
 * @param {string} root the checkout, where everything is built
 * @param {(path: string) => Record<string, any>} load a `require`, because services are CommonJS
 */
export function configurationPage(root, load) {
  const sections = SERVICES.map((service) => {
    return `## ${service}\n\n${table(settingsOf(service, root, load))}`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

function table(rows) {
  const head = '| variable | meaning | value | default | secret |\n| --- | --- | --- | --- | --- |';
  return `${head}\n${rows.map(row).join('\n')}\n`;
}

function row({ name, description, allowed, default: value, need, secret, example }) {
  const meaning = example === undefined ? description : `${description} Example: \`${example}\``;
  return `| \`${name}\` | ${[meaning, allowed, defaultText(value, need), secret ? 'yes' : ''].map(cell).join(' | ')} |`;
}

function defaultText(value, need) {
  if (value !== undefined) return value === '' ? 'empty' : `\`${value}\``;
  return { required: '**required**', conditional: 'required if it applies', optional: 'none' }[need];
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
