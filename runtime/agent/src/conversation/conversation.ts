import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { OWN_DIRECTORY, type OwnFiles } from '../files/own-files';

const NAME = 'conversation.ndjson';
export const CONVERSATION_FILE = `${OWN_DIRECTORY}/${NAME}`;

/** One line of the conversation. Readers skip types that they do not know. */
export type ConversationLine =
  | { type: 'pod.started' }
  /** Something stood in the way of the agent's files; paths from the workspace on. */
  | { type: 'file.moved'; path: string; to: string }
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
/** The agent writes no longer line: what is longer was not begun by it, and stays. */
const LONGEST_LINE = 32 * 1024 * 1024;

/**
 * The workspace's append-only record of what was asked and answered, one JSON object a line. A line is either wholly
 * there or not: what a crash tore off at the end is mended when the file is opened.
 */
export class Conversation {
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private file: FileHandle,
    private readonly files: OwnFiles,
    private readonly generation: number,
  ) {}

  /** Opens the workspace's conversation, makes it where there is none, mends its tail. */
  static async open(files: OwnFiles, generation: number): Promise<Conversation> {
    return new Conversation(await openFile(files), files, generation);
  }

  /** Appends in the order of the calls; resolves once the line is on the disk. */
  append(line: ConversationLine): Promise<void> {
    const text = `${JSON.stringify({ at: new Date().toISOString(), ...line, generation: this.generation })}\n`;
    const written = this.last.then(async () => {
      await this.followName();
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
    return readConversation(this.files);
  }

  async close(): Promise<void> {
    await this.last;
    await this.file.close();
  }

  /** A task may have replaced the file, as editors do, or removed it: what has its name now is the conversation. */
  private async followName(): Promise<void> {
    if (await this.files.isInPlace(NAME, this.file)) return;
    const replaced = this.file;
    this.file = await openFile(this.files);
    await replaced.close();
  }
}

async function openFile(files: OwnFiles): Promise<FileHandle> {
  const file = await files.openForAppending(NAME);
  try {
    await mendTail(file);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The lines as they stand in the file, also of a conversation that nobody writes to (a pod that is still starting); empty where there is no file. */
export async function readConversation(files: OwnFiles): Promise<Readable> {
  const file = await files.openForReading(NAME);
  if (file === null) return Readable.from([]);
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
  if (start === null) return file.appendFile('\n');
  const tail = Buffer.alloc(size - start);
  await file.read(tail, 0, tail.length, start);
  if (isObject(tail.toString('utf8'))) await file.appendFile('\n');
  else await file.truncate(start);
  await file.sync();
}

/** The offset after the last newline; the size itself where the file ends in one; null where it is too far away. */
async function startOfLastLine(file: FileHandle, size: number): Promise<number | null> {
  for (let end = size; end > 0;) {
    if (size - end > LONGEST_LINE) return null;
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
