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
