import { createServer, request, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeApi, type KubeEvent } from './kube-api';
import { asPodError, KubeError } from './kube-error';
import type { KubeObject } from './kube-objects';

let server: Server | undefined;
const api = async (listener: RequestListener, timeoutMs = 5_000): Promise<KubeApi> => {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const address = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return new KubeApi({ server: address, begin: (url, options) => Promise.resolve(request(url, options)) }, timeoutMs);
};
const status = (code: number, more: object = {}) =>
  JSON.stringify({ kind: 'Status', code, reason: 'Because', message: 'in its words', ...more });
const object: KubeObject = { metadata: { name: 'x' } };

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe('a call of the API', () => {
  it('that is told to wait comes again, and is answered', async () => {
    let calls = 0;
    const kube = await api((_request, response) => {
      calls += 1;
      if (calls < 3) response.writeHead(429, { 'retry-after': '0' }).end(status(429));
      else response.end(JSON.stringify(object));
    });
    expect(await kube.get('/x')).toEqual(object);
    expect(calls).toBe(3);
  });

  it('that would have to wait for longer than it has time is not made again', async () => {
    let calls = 0;
    const kube = await api((_request, response) => {
      calls += 1;
      response.writeHead(503, { 'retry-after': '60' }).end(status(503));
    });
    await expect(kube.create('/x', object)).rejects.toMatchObject({ status: 503, reason: 'Because', message: 'in its words' });
    expect(calls).toBe(1);
  });

  it('that is not answered in time is given up', async () => {
    const kube = await api(() => undefined, 50);
    await expect(kube.get('/x')).rejects.toMatchObject({ status: null, reason: 'Timeout' });
  });

  it('whose answer stops in the middle is given up', async () => {
    const kube = await api((_request, response) => void response.write('{"metadata"'), 50);
    await expect(kube.get('/x')).rejects.toMatchObject({ status: null, reason: 'Timeout' });
  });

  it('sends a body that ends where it ends, with a delete too', async () => {
    const seen: string[] = [];
    const kube = await api((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        seen.push(`${incoming.method} ${incoming.headers['content-length']} ${body}`);
        response.end('{}');
      });
    });
    await kube.delete('/x', { gracePeriodSeconds: 1, why: 'ü' });
    await kube.delete('/x', {});
    expect(seen).toEqual(['DELETE 35 {"gracePeriodSeconds":1,"why":"ü"}', 'DELETE 2 {}']);
  });
});

describe('a watch', () => {
  const following = (kube: KubeApi, onEvent: (event: KubeEvent<KubeObject>) => void, idleMs = 5_000): Promise<void> =>
    kube.watch('/x', {}, onEvent, { signal: new AbortController().signal, idleMs, onOpen: () => undefined });

  it('tells each event once it is whole, however it was cut', async () => {
    const kube = await api((_request, response) => {
      const text = `${JSON.stringify({ type: 'ADDED', object })}\n${JSON.stringify({ type: 'DELETED', object })}\n`;
      response.write(text.slice(0, 60));
      setImmediate(() => response.end(text.slice(60)));
    });
    const events: string[] = [];
    await following(kube, ({ type }) => events.push(type));
    expect(events).toEqual(['ADDED', 'DELETED']);
  });

  it.each<[string, RequestListener]>([
    ['that is refused', (_request, response) => response.writeHead(403).end(status(403))],
    ['that breaks off', (_request, response) => response.write('{"type"', () => response.destroy())],
    ['that stands still', (_request, response) => void response.write('\n')],
  ])('%s fails', async (_what, listener) => {
    await expect(following(await api(listener), () => undefined, 50)).rejects.toBeInstanceOf(KubeError);
  });
});

it.each<[number, object, string]>([
  [403, { message: 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0' }, 'quota_exceeded'],
  [403, { message: 'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi' }, 'invalid_spec'],
  [403, { message: 'pods is forbidden: User "x" cannot create resource "pods"' }, 'denied'],
  [401, {}, 'denied'],
  [404, { message: 'namespaces "x" not found' }, 'denied'],
  [409, {}, 'locked'],
  [422, {}, 'invalid_spec'],
  [429, {}, 'unavailable'],
  [500, {}, 'unavailable'],
  [504, {}, 'unavailable'],
])('a %i (%p) is %s', (code, more, reason) => {
  const error = KubeError.ofAnswer(code, { code, message: 'in its words', ...more }, undefined);
  expect(asPodError(error, 'create')).toMatchObject({ reason, detail: expect.stringContaining(error.message) });
});
