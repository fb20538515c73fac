import { createReadStream } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { codeOf } from '../log';

export const CONVERSATION_FILE = '.reprise/conversation.ndjson';

/** One line of the conversation. Readers skip types that they do not know. */
export type ConversationLine =
  | { type: 'pod.started' }
  | { type: 'task.started'; task_id: string; description: string }
  | {
      type: 'task.ended';
      task_id: string;
      status: 'completed' | 'failed' | 'cancelled';
      reason?: string;
      output?: string;
    };

/** Where a torn tail is looked for: in steps of this many bytes from the end. */
const STEP = 64 * 1024;

/**
 * The workspace's append-only record of what was asked and answered, one JSON object a line. A line is either wholly
 * there or not: what a crash tore off at the end is mended when the file is opened.
 */
export class Conversation {
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    private readonly generation: number,
  ) {}

  /** Opens the workspace's conversation, makes it where there is none, mends its tail. */
  static async open(workspace: string, generation: number): Promise<Conversation> {
    const path = join(workspace, CONVERSATION_FILE);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'a+', 0o644);
    try {
      await mendTail(file);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new Conversation(file, path, generation);
  }

  /** Appends in the order of the calls; resolves once the line is on the disk. */
  append(line: ConversationLine): Promise<void> {
    const text = `${JSON.stringify({ at: new Date().toISOString(), ...line, generation: this.generation })}\n`;
    const written = this.last.then(async () => {
      const { size } = await this.file.stat();
      try {
        await this.file.appendFile(text);
        await this.file.sync();
      } catch (error) {
        // A disk that fills up in the middle of a line must not spoil the line after it.
        await this.file.truncate(size).catch(() => undefined);
        throw error;
      }
    });
    this.last = written.catch(() => undefined);
    return written;
  }

  /** The whole conversation as of now; a line in the making is not part of it. */
  async read(): Promise<Readable> {
    await this.last;
    return readConversation(this.path);
  }

  async close(): Promise<void> {
    await this.last;
    await this.file.close();
  }
}

/** The lines of a conversation that nobody writes to (a pod that is still starting); empty where there is no file. */
export async function readConversationOf(workspace: string): Promise<Readable> {
  return readConversation(join(workspace, CONVERSATION_FILE));
}

async function readConversation(path: string): Promise<Readable> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Readable.from([]);
    throw error;
  }
  const { size } = await file.stat();
  if (size > 0) return createReadStream('', { fd: file, start: 0, end: size - 1 });
  await file.close();
  return Readable.from([]);
}

/**
 * A last line without its end is given one where it is whole JSON (only the newline was lost), and cut off where it is
 * not. No line before it is touched.
 */
async function mendTail(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  if (size === 0) return;
  const start = await startOfLastLine(file, size);
  if (start === size) return;
  const tail = Buffer.alloc(size - start);
  await file.read(tail, 0, tail.length, start);
  if (isObject(tail.toString('utf8'))) await file.appendFile('\n');
  else await file.truncate(start);
  await file.sync();
}

/** The offset after the last newline; the size itself where the file ends in one. */
async function startOfLastLine(file: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - STEP);
    const part = Buffer.alloc(end - start);
    await file.read(part, 0, part.length, start);
    const newline = part.lastIndexOf(0x0a);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
