import fs, { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { Cursor } from '../files/cursor';
import { Directory } from '../files/directory';
import { removeTree } from '../files/remove-tree';
import { writeSnapshot } from '../snapshot/snapshot';
import { restoreWorkspace } from './restore';

const CALLS = [
  'openSync',
  'closeSync',
  'lstatSync',
  'fstatSync',
  'mkdirSync',
  'chmodSync',
  'renameSync',
  'rmdirSync',
  'unlinkSync',
  'readdirSync',
] as const;

/** How many calls of the system a piece of work takes. */
async function callsOf(work: () => Promise<unknown>): Promise<number> {
  const spies = CALLS.map((call) => jest.spyOn(fs, call));
  try {
    await work();
    return spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function deepWorkspace(directory: string, levels: number): Directory {
  fs.mkdirSync(directory);
  const root = Directory.open(directory);
  const cursor = new Cursor(root);
  for (let level = 0; level < levels; level++) {
    fs.mkdirSync(cursor.here.at('d'));
    cursor.enter('d');
  }
  cursor.close();
  return root;
}

it('a tree that is twice as deep takes twice as many calls to save, restore and remove', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-depth-'));
  const calls: Record<string, number[]> = { save: [], restore: [], remove: [] };
  for (const levels of [500, 1_000]) {
    const workspace = deepWorkspace(join(directory, String(levels)), levels);
    const out = new PassThrough();
    const chunks: Buffer[] = [];
    out.on('data', (chunk: Buffer) => chunks.push(chunk));
    let sha256 = '';
    calls.save!.push(
      await callsOf(
        async () =>
          ({ sha256 } = await writeSnapshot(
            workspace,
            () => out,
            {},
            () => undefined,
          )),
      ),
    );
    fs.mkdirSync(join(directory, `${levels}-restored`));
    const restored = Directory.open(join(directory, `${levels}-restored`));
    calls.restore!.push(await callsOf(() => restoreWorkspace(Readable.from(chunks), restored, sha256)));
    calls.remove!.push(await callsOf(() => removeTree(restored, 'd')));
    expect(restored.names()).toEqual([]);
  }
  const top = Directory.open(tmpdir());
  await removeTree(top, directory.slice(tmpdir().length + 1));
  for (const [once, twice] of Object.values(calls)) {
    expect(once).toBeGreaterThan(500);
    expect(twice! / once!).toBeLessThan(2.1);
  }
});
