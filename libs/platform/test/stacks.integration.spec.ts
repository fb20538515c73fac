import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

it('stacks of compiled code name the lines of its source', () => {
  const program = `
    const { makeStacksReadable, parseConfig } = require(${JSON.stringify(join(__dirname, '../dist'))});
    makeStacksReadable();
    try { parseConfig(null, {}); } catch (error) { console.log(error.stack); }`;
  expect(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })).toMatch(/\/config\/parse-config\.ts:\d+:\d+/);
});
