import { gzipSync } from 'node:zlib';
import { type BadMessage, CREATE, type End, HANDLED, INVALID, RESTART, STOP, SUBMIT, type Surroundings, UNPARSEABLE } from './bad-message';

const MEGABYTE = 1024 * 1024;
const raw = (name: string, body: string | Buffer, end: End = UNPARSEABLE): BadMessage => ({
  name,
  type: RESTART,
  body: Buffer.from(body as string),
  end,
});
const shape = (name: string, body: (around: Surroundings) => unknown, type = RESTART): BadMessage => ({ name, type, body, end: INVALID });
/** JSON that JSON.stringify does not write; the workspace of its text does not exist. */
const text = (name: string, json: string): BadMessage => raw(name, json, INVALID);
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Bodies that are not what their type says. */
export const BODIES: readonly BadMessage[] = [
  raw('an empty body', ''),
  raw('no JSON', 'restart it, please'),
  raw('JSON that ends too early', '{"workspace_id": "ws_'),
  raw('JSON with something behind it', '{} {}'),
  raw('JSON with a comment', '{ /* force */ }'),
  raw('a number that JSON does not know', '{"force": NaN}'),
  raw('bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])),
  raw('UTF-16', Buffer.from('{"force": true}', 'utf16le')),
  raw('compressed JSON that does not say so', gzipSync('{"force": true}')),
  raw('XML', '<restart force="true"/>'),
  raw('five megabytes of nothing', Buffer.alloc(5 * MEGABYTE, 'x'), INVALID),
  raw('unclosed brackets, a hundred thousand deep', '['.repeat(100_000), INVALID),
  shape('null', () => null),
  shape('a number', () => 42),
  shape('a string', () => 'restart'),
  shape('an array', ({ workspace }) => [{ workspace_id: workspace }]),
  shape('no field at all', () => ({})),
  shape('an id that is a number', () => ({ workspace_id: 7 })),
  shape('an id that is null', () => ({ workspace_id: null })),
  shape('an id in an array', ({ workspace }) => ({ workspace_id: [workspace] })),
  shape('an id in an object', ({ workspace }) => ({ workspace_id: { id: workspace } })),
  shape('an empty id', () => ({ workspace_id: '' })),
  shape('an id of another kind', ({ workspace }) => ({ workspace_id: workspace.replace('ws_', 'op_') })),
  shape('an id in capitals', ({ workspace }) => ({ workspace_id: workspace.toUpperCase() })),
  shape('an id with SQL behind it', ({ workspace }) => ({ workspace_id: `${workspace}'; DROP TABLE workspaces; --` })),
  shape('force as a string', ({ workspace }) => ({ workspace_id: workspace, force: 'true' })),
  shape('force as a number', ({ workspace }) => ({ workspace_id: workspace, force: 1 })),
  shape('force misspelt', ({ workspace }) => ({ workspace_id: workspace, froce: true })),
  shape('ten thousand unknown fields', ({ workspace }) => ({
    workspace_id: workspace,
    ...Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`field_${i}`, i])),
  })),
  shape('two megabytes of texts with NUL, sixty levels down', () =>
    Array.from({ length: 60 }).reduce<unknown>((inner) => ({ a: inner }), Array(200_000).fill('\0')),
  ),
  shape('a caller that is an array', ({ workspace }) => ({ workspace_id: workspace, caller: [] })),
  shape('a caller with a wrong flag', ({ workspace }) => ({ workspace_id: workspace, caller: { sub: 'alice', own_only: 'no' } })),
  shape('a caller with more than a caller has', ({ workspace }) => ({
    workspace_id: workspace,
    caller: { sub: 'alice', own_only: false, scopes: ['ops:write'] },
  })),
  shape('a task without words', ({ workspace }) => ({ workspace_id: workspace, description: '' }), SUBMIT),
  shape('a task of five megabytes', ({ workspace }) => ({ workspace_id: workspace, description: 'x'.repeat(5 * MEGABYTE) }), SUBMIT),
  shape('a task with a NUL', ({ workspace }) => ({ workspace_id: workspace, description: 'a\0b' }), SUBMIT),
  shape('a task with half a character', ({ workspace }) => ({ workspace_id: workspace, description: '\ud83d' }), SUBMIT),
  shape('a workspace of no role', () => ({ environment: 'production' }), CREATE),
  text('a number beyond all numbers', '{"workspace_id": 1e999}'),
  text('nesting a hundred thousand deep', `{"workspace_id": ${nested(100_000)}}`),
  text('nesting in a field that is looked into', `{"caller": {"sub": ${nested(5_000)}, "own_only": true}}`),
  text('a prototype', '{"__proto__": {"workspace_id": "ws_01k9zv6m3se4ht8v5y2q7n0xab"}}'),
  text('a constructor', '{"workspace_id": 1, "constructor": {"name": "Map"}}'),
  text('methods of an object as data', '{"hasOwnProperty": 1, "toString": 2, "valueOf": 3, "then": 4, "toJSON": 5}'),
  text('methods of an object as a caller', '{"caller": {"hasOwnProperty": 1, "constructor": 2, "then": 3, "__proto__": null}}'),
  {
    name: 'a byte order mark before good JSON',
    type: STOP,
    body: ({ missing }) => Buffer.from(`\ufeff{"workspace_id": "${missing}"}`),
    end: HANDLED,
  },
];
