// @ts-check
// npm run bench [-- ROW… --list --quick --profile]: Reprise beside the limits of this machine (docs/performance.md).
import { join } from 'node:path';
import { helpOn } from './lib/command-line.mjs';
import { tolerateClosedOutput } from './lib/console.mjs';
import { Failure, describe } from './lib/failure.mjs';
import { install } from './lib/install.mjs';
import { lastLines, run } from './lib/processes.mjs';
import { ROOT } from './lib/state.mjs';

helpOn(
  'usage: npm run bench -- [ROW…] [--list] [--quick] [--profile] [--rounds N] [--rest-restarts N] [--backlog N]\n\n--list tells the rows; docs/performance.md what they measure.',
);
tolerateClosedOutput();
try {
  await install('all');
  // With it the libraries and the provisioner, which it stands on; the rest is built when the servers are brought up.
  const compiled = await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', join(ROOT, 'bench')], { cwd: ROOT });
  if (compiled.code !== 0) throw new Failure('the benchmark could not be compiled:', lastLines(compiled.output, 20));
  const { main } = await import('../bench/dist/main.js');
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  console.error(describe(error));
  process.exit(1);
}
