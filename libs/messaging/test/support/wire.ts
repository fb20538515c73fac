import type { Channel } from 'amqplib';

/** What amqplib keeps for a channel, as far as a test needs it. */
interface Insides {
  ch: number;
  connection: { channels: { buffer: { write: (chunk: Buffer) => boolean } }[] };
}

/** Lets a channel send what amqplib itself writes for nobody: in all that it sends, bytes give place to others, as many. */
export function replaceOnWire(channel: Channel, find: string | Buffer, replacement: Buffer): void {
  const { ch, connection } = channel as unknown as Insides;
  const { buffer } = connection.channels[ch]!;
  const write = buffer.write.bind(buffer);
  buffer.write = (chunk) => {
    for (let at = chunk.indexOf(find); at >= 0; at = chunk.indexOf(find, at + replacement.length)) replacement.copy(chunk, at);
    return write(chunk);
  };
}

/** A header of this name, given as bytes, is sent as an array that has these bytes as its content. */
export function sendAsArray(channel: Channel, name: string): void {
  const named = Buffer.concat([Buffer.from([name.length]), Buffer.from(name)]);
  replaceOnWire(channel, Buffer.concat([named, Buffer.from('x')]), Buffer.concat([named, Buffer.from('A')]));
}

/** The content of an array in an array in an array …: made without recursion, which amqplib has no stack for. */
export function nestedArrays(levels: number): Buffer {
  const content = Buffer.alloc((levels - 1) * 5);
  for (let i = 0; i < levels - 1; i++) {
    content.write('A', i * 5);
    content.writeUInt32BE(content.length - (i + 1) * 5, i * 5 + 1);
  }
  return content;
}
