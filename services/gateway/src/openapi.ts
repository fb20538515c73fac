import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROLLERS, VERSION } from './docs/api';
import { describeApi } from './docs/describe-api';

/** Writes docs/openapi.json; with `--check`, says whether the file is what the routes are. Needs neither a broker nor a network. */
const FILE = join(__dirname, '../../../docs/openapi.json');

const described = `${JSON.stringify(describeApi(CONTROLLERS, VERSION), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, described);
} else if (read() !== described) {
  process.stderr.write('docs/openapi.json is not what the routes are: run node services/gateway/dist/openapi.js\n');
  process.exitCode = 1;
}

function read(): string {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return '';
  }
}
