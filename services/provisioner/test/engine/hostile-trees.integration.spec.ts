import fc from 'fast-check';
import { Replica } from './support/replica';
import { Workspace, World } from './support/world';

/** How many trees are tried; HOSTILE_TREES=1000 tries more. */
const TREES = Number(process.env.HOSTILE_TREES ?? 12);

/** What a task makes in its workspace. Names are bytes, in hex. */
type Node = { name: string; mode: number } & (
  | { kind: 'file'; bytes: number; hole: number }
  | { kind: 'directory'; children: Node[] }
  | { kind: 'symlink'; target: string }
  /** Another name of a file that was made before. */
  | { kind: 'link'; of: number }
  | { kind: 'fifo' }
);

const name = fc
  .oneof(
    { weight: 3, arbitrary: fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).map((text) => Buffer.from(text)) },
    { weight: 3, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.constant(Buffer.alloc(255, 'n')) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('.reprise', '.reprise-restore', '-rf', ' ', '...', '\n', '*').map((text) => Buffer.from(text)),
    },
  )
  .map((bytes) => bytes.filter((byte) => byte !== 0 && byte !== 0x2f).subarray(0, 255))
  .filter((bytes) => bytes.length > 0 && !['.', '..'].includes(Buffer.from(bytes).toString('latin1')))
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const mode = fc.oneof(fc.constantFrom(0o644, 0o755, 0, 0o7777, 0o400), fc.integer({ min: 0, max: 0o7777 }));
const { tree } = fc.letrec<{ tree: Node[]; node: Node }>((tie) => ({
  tree: fc.array(tie('node'), { maxLength: 6, depthIdentifier: 'tree' }),
  node: fc.oneof(
    { depthIdentifier: 'tree', maxDepth: 5, withCrossShrink: true },
    fc.record({
      kind: fc.constant('file' as const),
      name,
      mode,
      bytes: fc.integer({ min: 0, max: 9_000 }),
      hole: fc.constantFrom(0, 0, 1, 70_000, 3_000_000),
    }),
    fc.record({ kind: fc.constant('symlink' as const), name, mode, target: name }),
    fc.record({ kind: fc.constant('link' as const), name, mode, of: fc.nat(50) }),
    fc.record({ kind: fc.constant('fifo' as const), name, mode }),
    fc.record({ kind: fc.constant('directory' as const), name, mode, children: tie('tree') }),
  ),
}));

/** Runs in the pod, with Node alone. What cannot be made there is left out: a name that is taken, a path that is too long. */
const PLANT = `
const fs = require('node:fs'), { execFileSync } = require('node:child_process');
const files = [];
const tried = (act) => { try { act(); return true; } catch { return false; } };
const at = (directory, name) => Buffer.concat([directory, Buffer.from('/'), Buffer.from(name, 'hex')]);
const plant = (directory, nodes) => {
  for (const node of nodes) {
    const path = at(directory, node.name);
    if (node.kind === 'file') tried(() => {
      const file = fs.openSync(path, 'wx');
      fs.writeSync(file, Buffer.alloc(node.bytes, node.name), 0, node.bytes, node.hole);
      fs.ftruncateSync(file, node.bytes + 2 * node.hole);
      fs.closeSync(file);
      files.push(path);
      fs.chmodSync(path, node.mode);
    });
    if (node.kind === 'symlink') tried(() => fs.symlinkSync(Buffer.from(node.target, 'hex'), path));
    if (node.kind === 'link') tried(() => fs.linkSync(files[node.of % files.length], path));
    if (node.kind === 'fifo') tried(() => execFileSync('mkfifo', [path.toString()]));
    if (node.kind === 'directory' && tried(() => fs.mkdirSync(path))) {
      plant(path, node.children);
      tried(() => fs.chmodSync(path, node.mode));
    }
  }
};
plant(Buffer.from('.'), JSON.parse(process.argv[2]));
`;

/** All that a snapshot carries, but for times and the agent's own files, told as one digest and a count. */
const LOOK = `
const fs = require('node:fs'), { createHash } = require('node:crypto');
const hash = createHash('sha256'), inodes = new Map();
let count = 0;
const look = (directory) => {
  for (const name of fs.readdirSync(directory, 'latin1').sort()) {
    if (directory.length === 1 && name.startsWith('.reprise')) continue;
    const path = Buffer.concat([directory, Buffer.from('/'), Buffer.from(name, 'latin1')]);
    const stat = fs.lstatSync(path);
    if (stat.isFIFO()) continue;
    count++;
    hash.update(path).update(String(stat.mode));
    if (stat.isSymbolicLink()) hash.update(fs.readlinkSync(path, 'latin1'));
    if (stat.isFile()) {
      const first = inodes.get(stat.ino) ?? path;
      inodes.set(stat.ino, first);
      if (stat.mode & 0o400) hash.update(first).update(fs.readFileSync(path));
    }
    if (stat.isDirectory() && (stat.mode & 0o500) === 0o500) look(path);
  }
};
look(Buffer.from('.'));
console.log(count + ' ' + hash.digest('hex'));
`;

const inNode = (program: string, argument = ''): string =>
  `${JSON.stringify(process.execPath)} - ${argument && `'${argument}'`} <<'PROGRAM'\n${program}\nPROGRAM\n`;

describe('whatever a task makes of its workspace', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
    replica = await Replica.start(world);
  });
  afterAll(async () => {
    await replica?.stop();
    await world?.end();
  });

  it(`a restart brings it back as it was, in each of ${TREES} trees`, async () => {
    let entries = 0;
    await fc.assert(
      fc.asyncProperty(tree, async (nodes) => {
        const workspace = new Workspace(world);
        await workspace.create(replica);
        await world.sh(workspace.id, inNode(PLANT, JSON.stringify(nodes)));
        const before = await world.sh(workspace.id, inNode(LOOK));
        expect(before).toMatch(/^[0-9]+ [0-9a-f]{64}\n$/);
        entries += parseInt(before, 10);
        expect(await workspace.replace(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
        expect(await world.sh(workspace.id, inNode(LOOK))).toBe(before);
        expect(await workspace.remove(replica)).toMatchObject({ type: 'reprise.pod.removed.v1' });
      }),
      { numRuns: TREES, endOnFailure: true },
    );
    expect(entries).toBeGreaterThan(TREES);
  }, 3_600_000);
});
