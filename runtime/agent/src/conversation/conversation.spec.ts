import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Directory } from '../files/directory';
import { OwnFiles } from '../files/own-files';
import { CONVERSATION_FILE, Conversation } from './conversation';

let workspace: string;
let file: string;
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'reprise-conversation-'));
  file = join(workspace, CONVERSATION_FILE);
  mkdirSync(dirname(file));
});
afterEach(() => rmSync(workspace, { recursive: true }));

const WHOLE = '{"type":"pod.started"}\n{"type":"task.started"}\n';
const open = (): Promise<Conversation> => Conversation.open(new OwnFiles(Directory.open(workspace), () => undefined), 7);

describe('a conversation whose end a crash tore off', () => {
  it.each<[string, string, string]>([
    ['nothing is missing', WHOLE, WHOLE],
    ['it is empty', '', ''],
    ['the last line is cut in the middle', `${WHOLE}{"type":"task.end`, WHOLE],
    ['only the newline is missing', `${WHOLE}{"type":"task.ended"}`, `${WHOLE}{"type":"task.ended"}\n`],
    ['the last line is cut within a character', `${WHOLE}{"output":"gr\xc3`, WHOLE],
    ['the only line is cut', '{"type":"po', ''],
    ['zeros stand where a line was to be', `${WHOLE}${'\0'.repeat(500)}`, WHOLE],
    ['the cut line is longer than one step of the search', `${WHOLE}{"output":"${'x'.repeat(300_000)}`, WHOLE],
    [
      'the whole last line is longer than one step',
      `${WHOLE}{"output":"${'x'.repeat(300_000)}"}`,
      `${WHOLE}{"output":"${'x'.repeat(300_000)}"}\n`,
    ],
    ['a number is what is left of a line', `${WHOLE}12`, WHOLE],
  ])('is mended without losing a whole line: %s', async (_what, torn, mended) => {
    writeFileSync(file, torn, 'latin1');
    const conversation = await open();
    expect(readFileSync(file, 'latin1')).toBe(mended);
    await conversation.append({ type: 'pod.started' });
    await conversation.close();
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
});

describe('a conversation', () => {
  it('keeps the order of the calls and stamps each line with time and generation', async () => {
    const conversation = await open();
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => conversation.append({ type: 'task.started', task_id: `task_${i}`, description: 'a\nb' })),
    );
    const text = Buffer.concat((await (await conversation.read()).toArray()) as Buffer[]).toString();
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map((line) => line.task_id)).toEqual(Array.from({ length: 50 }, (_, i) => `task_${i}`));
    expect(lines[0]).toEqual({
      at: expect.stringMatching(/Z$/) as string,
      type: 'task.started',
      task_id: 'task_0',
      description: 'a\nb',
      generation: 7,
    });
    await conversation.close();
  });

  it('goes on on a line of its own after more than any line can have, which it leaves as it is', async () => {
    writeFileSync(file, '');
    truncateSync(file, 40_000_000);
    const conversation = await open();
    await conversation.append({ type: 'pod.started' });
    await conversation.close();
    const written = readFileSync(file);
    expect(written.indexOf('\n')).toBe(40_000_000);
    expect(JSON.parse(written.subarray(40_000_001).toString())).toMatchObject({ type: 'pod.started' });
  });

  it('is what has its name, whatever became of the file that was opened', async () => {
    const conversation = await open();
    rmSync(dirname(file), { recursive: true });
    await conversation.append({ type: 'pod.started' });
    renameSync(file, `${file}.old`);
    writeFileSync(file, '{"type":"mine"}\n');
    await conversation.append({ type: 'pod.started' });
    await conversation.close();
    expect(
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type),
    ).toEqual(['mine', 'pod.started']);
  });
});
