#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  // By its URL: as a path it would lose what follows a # or a %.
  await import(main.href);
} else {
  process.stderr.write('reprise: it is not built yet; run npm start first (or npm run build)\n');
  process.exitCode = 1;
}
