import { ListWorkspaces, newId, podToken } from '@reprise/contracts';
import { abandon, converse, GatewayUnderTest, POD_SECRET, type RawAnswer } from './support';

let gateway: GatewayUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  await gateway.others.answer(ListWorkspaces, () => ({ workspaces: [] }));
});
afterAll(() => gateway.stop());

/** A case: what it is, what is sent, and what it is answered with. `TOKEN` stands for a good token. */
type Case = [name: string, bytes: string, status: number, code: string];

const request = (line: string, ...headers: string[]) => `${[`${line} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`;
const post = (...headers: string[]) =>
  request('POST /v1/workspaces', 'Authorization: Bearer TOKEN', 'Content-Type: application/json', ...headers);
const chunked = (body: string) => `${post('Transfer-Encoding: chunked')}${body}`;
const WORKSPACES = 'GET /v1/workspaces';
const invalid: [number, string] = [400, 'validation_error'];
const noToken: [number, string] = [401, 'unauthenticated'];
const noRoute: [number, string] = [404, 'route_not_found'];
const tooLarge: [number, string] = [413, 'payload_too_large'];

const CASES: Case[] = [
  ['rubbish', 'RUBBISH\r\n\r\n', ...invalid],
  ['binary rubbish', '\0\x01\x02\xff\xfe\r\n\r\n', ...invalid],
  ['the beginning of TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', ...invalid],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ...invalid],
  ['a version that does not exist', `${WORKSPACES} HTTP/9.9\r\nHost: x\r\n\r\n`, ...invalid],
  ['no version', `${WORKSPACES}\r\nHost: x\r\n\r\n`, ...noToken],
  ['a method that nobody knows', request('FROBNICATE /v1/workspaces'), ...invalid],
  ['a method in small letters', request('get /v1/workspaces'), ...invalid],
  ['no Host', `${WORKSPACES} HTTP/1.1\r\n\r\n`, ...invalid],
  ['no Host, with a good token', `${WORKSPACES} HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n\r\n`, ...invalid],
  ['two Hosts', request(WORKSPACES, 'Host: y'), ...invalid],
  ['two equal Hosts', request(WORKSPACES, 'hOST: x'), ...invalid],
  ['an empty Host', `${WORKSPACES} HTTP/1.1\r\nHost:\r\n\r\n`, ...noToken],
  ['HTTP/1.0 without Host', `${WORKSPACES} HTTP/1.0\r\n\r\n`, ...noToken],
  ['HTTP/1.0 with two Hosts', `${WORKSPACES} HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n`, ...invalid],
  ['HTTP/1.0 on a path that is not there', 'GET /nothing HTTP/1.0\r\n\r\n', ...noRoute],
  ['a header without a colon', request(WORKSPACES, 'Rubbish'), ...invalid],
  ['a header with a space before the colon', request(WORKSPACES, 'X-A : b'), ...invalid],
  ['a header without a name', request(WORKSPACES, ': b'), ...invalid],
  ['NUL in a header', request(WORKSPACES, 'X-A: a\0b'), ...invalid],
  ['a bare CR in a header', request(WORKSPACES, 'X-A: a\rb'), ...invalid],
  ['a length that is no number', post('Content-Length: ten'), ...invalid],
  ['a negative length', post('Content-Length: -1'), ...invalid],
  ['two lengths', `${post('Content-Length: 2', 'Content-Length: 3')}{}`, ...invalid],
  ['a length that is too large for anything', post('Content-Length: 99999999999999999999999'), ...invalid],
  ['a length beyond the limit', post('Content-Length: 1048577'), ...tooLarge],
  ['a length together with chunks', `${post('Content-Length: 2', 'Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\n\r\n`, ...invalid],
  ['a transfer encoding that is not chunked', post('Transfer-Encoding: gzip'), ...invalid],
  ['a chunk whose size is no number', chunked('ZZ\r\n{}\r\n0\r\n\r\n'), ...invalid],
  ['a chunk whose size is too large for anything', chunked('FFFFFFFFFFFFFFFFFF\r\n'), ...invalid],
  ['a chunk that is longer than it says', chunked('2\r\n{"a":1}\r\n0\r\n\r\n'), ...invalid],
  ['rubbish behind a good chunk', chunked('2\r\n{}\r\nrubbish\r\n'), ...invalid],
  ['a chunk with 100 kB of extensions', chunked(`2;${'a'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`), ...invalid],
  ['JSON that is broken', `${post('Content-Length: 1')}{`, ...invalid],
  ['a body in gzip', `${post('Content-Encoding: gzip', 'Content-Length: 4')}\x1f\x8b\x08\0`, ...invalid],
  ['100 kB in a header', request(WORKSPACES, `X-Big: ${'a'.repeat(100_000)}`), ...tooLarge],
  ['100 kB in headers', request(WORKSPACES, ...Array.from({ length: 1_000 }, (_, i) => `X-${i}: ${'a'.repeat(90)}`)), ...tooLarge],
  ['an address of 100 kB', request(`GET /v1/${'a'.repeat(100_000)}`), ...tooLarge],
  ['a token of 100 kB', request(WORKSPACES, `Authorization: Bearer ${'a'.repeat(100_000)}`), ...tooLarge],
  ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', ...noRoute],
  ['CONNECT with a good token', 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n', ...noRoute],
  ...['TRACE', 'PROPFIND', 'MKCOL', 'PURGE', 'LINK', 'M-SEARCH', 'REPORT', 'COPY', 'LOCK', 'SEARCH'].map((method): Case => [
    `the method ${method}`,
    request(`${method} /v1/workspaces`, 'Authorization: Bearer TOKEN'),
    ...noRoute,
  ]),
  ['OPTIONS for the server', request('OPTIONS *'), ...noRoute],
  ['a path that is not there', request('GET /nothing'), ...noRoute],
  ['an absolute address', request('GET http://other.example/v1/workspaces'), ...noToken],
  ['an absolute address that is not there', request('GET http://other.example/nothing'), ...noRoute],
  ['wrong percent-encoding', request('GET /v1/%zz'), ...invalid],
  ['an upgrade to a web socket', request(WORKSPACES, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'), ...noToken],
  [
    'an upgrade to HTTP/2',
    request(WORKSPACES, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
    ...noToken,
  ],
  ['an upgrade on a path that is not there', request('GET /nothing', 'Connection: Upgrade', 'Upgrade: websocket'), ...noRoute],
  ['an expectation that nobody knows', post('Expect: 200-ok', 'Content-Length: 2'), 417, 'validation_error'],
  ['an expectation without a token', request(WORKSPACES, 'Expect: rubbish'), 417, 'validation_error'],
  ['100-continue without a token', request('POST /v1/workspaces', 'Expect: 100-continue', 'Content-Length: 0'), ...noToken],
  ['100-continue with a body that is broken', `${post('Expect: 100-continue', 'Content-Length: 1')}{`, ...invalid],
  ['a body with GET', `${request(WORKSPACES, 'Content-Type: application/json', 'Content-Length: 2')}{}`, ...noToken],
  ['a body with GET that is broken', `${request(WORKSPACES, 'Content-Type: application/json', 'Content-Length: 1')}{`, ...noToken],
  [
    'a form',
    `${post('Content-Length: 1').replace('application/json', 'application/x-www-form-urlencoded')}a`,
    415,
    'unsupported_media_type',
  ],
  ['two tokens', request(WORKSPACES, 'Authorization: Bearer TOKEN', 'Authorization: Bearer TOKEN'), ...noToken],
  ['a token behind another scheme', request(WORKSPACES, 'Authorization: Basic YTpi', 'authorization: Bearer TOKEN'), ...noToken],
  ['a token before another one', request(WORKSPACES, 'AUTHORIZATION: Bearer TOKEN', 'Authorization: Bearer x'), ...noToken],
  ['two tokens in one header', request(WORKSPACES, 'Authorization: Bearer TOKEN, Bearer TOKEN'), ...noToken],
  ['a token with something behind it', request(WORKSPACES, 'Authorization: Bearer TOKEN x'), ...noToken],
  ['a token in the query', request('GET /v1/workspaces?access_token=TOKEN'), ...noToken],
  ['a token in a cookie', request(WORKSPACES, 'Cookie: access_token=TOKEN'), ...noToken],
  ['a token in Proxy-Authorization', request(WORKSPACES, 'Proxy-Authorization: Bearer TOKEN'), ...noToken],
  [
    'two tokens of pods',
    request(
      `PUT /v1/agent/tasks/${newId('task')}`,
      ...Array<string>(2).fill(`Authorization: Bearer ${podToken(POD_SECRET, { workspaceId: newId('workspace'), generation: 1 })}`),
    ),
    ...noToken,
  ],
];

function bytesOf(text: string): Buffer {
  return Buffer.from(text.replaceAll('TOKEN', gateway.issuer.token(['workspace:read', 'workspace:write'])), 'latin1');
}

function expectErrorBody({ status, headers, text }: RawAnswer, expected: number, code: string): void {
  const { error, ...more } = JSON.parse(text) as { error: { code: string; message: string; request_id: string } };
  expect([status, error.code, more]).toEqual([expected, code, {}]);
  expect(headers['content-type']).toContain('application/json');
  expect(error.message).toMatch(/\S/);
  expect(error.request_id).toMatch(/^[\w.:-]{8,128}$/);
  expect(headers['x-request-id']).toBe(error.request_id);
}

describe('the answer to', () => {
  it.each(CASES)('%s has the error body', async (_, bytes, status, code) => {
    const answers = await converse(gateway, [bytesOf(bytes)]);
    expect(answers).toHaveLength(1);
    expectErrorBody(answers[0]!, status, code);
  });

  it.each(CASES)('%s has the error body on a connection that has been used', async (_, bytes, status, code) => {
    const answers = await converse(gateway, [
      bytesOf(request('GET /nothing')),
      bytesOf(request('GET /v1/workspaces', 'Authorization: Bearer TOKEN')),
      bytesOf(bytes),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([404, 200, status]);
    expectErrorBody(answers[2]!, status, code);
  });

  it.each(CASES)('%s comes behind those to the requests before it', async (_, bytes, status, code) => {
    const good = request('GET /v1/workspaces', 'Authorization: Bearer TOKEN');
    const answers = await converse(gateway, [bytesOf(`${good}${good}${bytes}`)], 3);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, status]);
    expectErrorBody(answers[2]!, status, code);
  });
});

it('a request that does not arrive in time gets the error body, wherever it stops', async () => {
  const server = gateway.app.getHttpServer();
  const { headersTimeout, requestTimeout } = server;
  Object.assign(server, { headersTimeout: 500, requestTimeout: 500 });
  try {
    const stopping = ['GET /v1/work', request(WORKSPACES).slice(0, -2), `${post('Content-Length: 10')}{`, chunked('5\r\n{')];
    const answers = await Promise.all(stopping.map((bytes) => converse(gateway, [bytesOf(bytes)])));
    for (const [answer] of answers) expectErrorBody(answer!, ...invalid);
  } finally {
    Object.assign(server, { headersTimeout, requestTimeout });
  }
});

it('what breaks off leaves the gateway as it was', async () => {
  const bytes = bytesOf(chunked('5\r\n{'));
  const lengths = Array.from({ length: 50 }, (_, i) => Math.ceil(((i + 1) * bytes.length) / 50));
  await Promise.all(lengths.map((length) => abandon(gateway, bytes.subarray(0, length))));
  expect((await gateway.call('GET', '/v1/workspaces')).status).toBe(200);
});
