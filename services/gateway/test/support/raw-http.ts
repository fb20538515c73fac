import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { GatewayUnderTest } from './gateway';

/** Sends a body without saying how long it is. */
export function chunked(
  gateway: GatewayUnderTest,
  path: string,
  token: string,
  bytes: number,
): Promise<{ status: number | undefined; code: unknown }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const request = httpRequest(`${gateway.url}${path}`, { method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, code: JSON.parse(text).error.code }));
    });
    request.on('error', reject);
    for (let sent = 0; sent < bytes; sent += 65_536) request.write('x'.repeat(65_536));
    request.end();
  });
}

/** Sends bytes as they are and reads until the server hangs up. */
export function raw(
  gateway: GatewayUnderTest,
  bytes: string,
): Promise<{ head: string; body: { error?: object }; requestId: string | undefined }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = text.split('\r\n\r\n');
      resolve({ head, body: JSON.parse(body), requestId: /x-request-id: (\S+)/.exec(head)?.[1] });
    });
  });
}

/** One answer, as it came over the wire. */
export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/**
 * Sends each part when all answers to the parts before it have come, and gives all answers. The part that is last is sent with what follows it;
 * the end is when the server hangs up, or when `answers` have come.
 */
export function converse(gateway: GatewayUnderTest, parts: readonly (string | Buffer)[], answers = parts.length): Promise<RawAnswer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    let bytes = Buffer.alloc(0);
    let sent = 0;
    const next = (): void => {
      const part = parts[sent];
      sent += 1;
      if (part !== undefined) socket.write(part);
    };
    const found = (): RawAnswer[] => answersIn(bytes);
    socket.setTimeout(30_000, () => socket.destroy(new Error(`nothing more came after ${JSON.stringify(bytes.toString('latin1'))}`)));
    socket.on('connect', next);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const { length } = found();
      if (length >= answers) socket.destroy();
      else if (length >= sent) next();
    });
    socket.on('error', (error) => {
      if (!/ECONNRESET|EPIPE/.test(error.message)) reject(error);
    });
    socket.on('close', () => resolve(found()));
  });
}

/** The whole answers in these bytes. */
function answersIn(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes.toString('latin1');
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((each) => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
    );
    const status = Number(line.split(' ')[1]);
    const length = Number(headers['content-length'] ?? 0);
    if (rest.length < end + 4 + length) return answers;
    // What is said before the answer itself.
    if (status >= 200)
      answers.push({ status, headers, text: Buffer.from(rest.slice(end + 4, end + 4 + length), 'latin1').toString('utf8') });
    rest = rest.slice(end + 4 + length);
  }
}

/** Sends bytes and hangs up. */
export function abandon(gateway: GatewayUnderTest, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(bytes, () => socket.destroy()));
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}
