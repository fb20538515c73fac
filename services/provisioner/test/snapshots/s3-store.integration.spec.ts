import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { S3Settings } from '../../src/snapshots/s3/s3-settings';
import { S3SnapshotStore } from '../../src/snapshots/s3/s3-snapshot-store';
import { storeConformance } from './store-conformance';
import { S3Peer } from './support/s3-peer';
import type { Operation } from './support/s3-request';
import { BUCKET } from './support/s3-service';
import { errorAnswer, uploadsIn } from './support/s3-uploads';

const directory = mkdtempSync(join(tmpdir(), 'reprise-s3-'));
const uploads = join(directory, BUCKET, '._S3rver_uploads');
let peer: S3Peer;
let count = 0;
let prefix: string;

beforeAll(async () => {
  peer = await S3Peer.start(directory);
});
afterAll(async () => {
  await peer?.stop();
  rmSync(directory, { recursive: true, force: true });
});
afterEach(() => {
  peer.fault = () => undefined;
});

const WRITES: readonly Operation[] = ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];

function open(other: Partial<S3Settings> = {}): S3SnapshotStore {
  prefix = `store-${++count}/`;
  peer.requests.length = 0;
  return new S3SnapshotStore(peer.settings({ prefix, ...other }));
}

const refusing = (status: number, code: string, operations: readonly Operation[]) => () => {
  peer.fault = ({ operation }) => (operations.includes(operation) ? { answer: errorAnswer(status, code) } : undefined);
  return Promise.resolve({
    store: new S3SnapshotStore(peer.settings({ prefix })),
    relieve: () => {
      peer.fault = () => undefined;
      return Promise.resolve();
    },
  });
};

const halfWritten = async (): Promise<number> => (await uploadsIn(uploads)).filter(({ key }) => key.startsWith(prefix)).length;

function leaveHalfWritten(ageMs: number, partAgeMs = ageMs): void {
  const upload = join(uploads, randomUUID());
  mkdirSync(upload, { recursive: true });
  const files: [name: string, content: string, age: number][] = [
    ['key', `${prefix}ws_1/1.tar.br`, ageMs],
    ['metadata', '{}', ageMs],
    ['1', 'half', partAgeMs],
  ];
  for (const [name, content, age] of files) {
    writeFileSync(join(upload, name), content);
    const then = (Date.now() - age) / 1_000;
    utimesSync(join(upload, name), then, then);
  }
}

storeConformance('S3', {
  open: () => Promise.resolve(open()),
  halfWritten,
  leaveHalfWritten: (ageMs) => Promise.resolve(leaveHalfWritten(ageMs)),
  replaceBytes: (key, change) => {
    const path = join(directory, BUCKET, `${prefix}${key}._S3rver_object`);
    writeFileSync(path, change(readFileSync(path)));
    return Promise.resolve();
  },
  full: { make: refusing(507, 'InsufficientStorage', ['UploadPart']) },
  denied: { make: refusing(403, 'AccessDenied', WRITES) },
  secrets: () => [peer.endpoint, directory, 'S3RVER', BUCKET],
});

const bytes = (size: number): Readable => Readable.from([randomBytes(size)]);
const ONE_PART = 1_000;
const THREE_PARTS = 12_000_000;
const read = async (stream: Readable): Promise<Buffer> => Buffer.concat((await stream.toArray()) as Buffer[]);
const io = { name: 'SnapshotStoreError', reason: 'io', retryable: true };

describe('an S3 store', () => {
  it('sends what fits one part in one request, and more in parts, each with the digest that signs it', async () => {
    const store = open();
    await store.put('small', bytes(ONE_PART));
    expect(peer.count('PutObject')).toBe(1);
    await store.put('large', bytes(THREE_PARTS));
    expect(peer.count('UploadPart')).toBe(3);
    const bodies = peer.requests.filter(({ operation }) => operation === 'PutObject' || operation === 'UploadPart');
    for (const { headers } of bodies) expect(headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([ONE_PART, THREE_PARTS])('overwrites nothing, of %i bytes, where the store knows no conditional writes', async (size) => {
    const store = open();
    peer.fault = ({ headers }) => (headers['if-none-match'] === undefined ? undefined : { answer: errorAnswer(501, 'NotImplemented') });
    await store.put('a', bytes(size));
    await expect(store.put('a', bytes(size + 1))).rejects.toMatchObject({ reason: 'exists' });
    expect((await store.stat('a'))?.sizeBytes).toBe(size);
    await store.put('b', bytes(size));
    expect(peer.requests.filter(({ headers }) => headers['if-none-match'] !== undefined)).toHaveLength(1);
  });

  it('keeps its objects below its prefix, and sees nothing beside it', async () => {
    const [one, two] = [open(), open()];
    await one.put('a', bytes(1));
    await two.put('b', bytes(1));
    const keys: string[] = [];
    for await (const key of one.list()) keys.push(key);
    expect(keys).toEqual(['a']);
    expect(await one.stat('b')).toBeNull();
  });

  it('lists more keys than one answer holds', async () => {
    const store = open();
    const path = join(directory, BUCKET, prefix, 'ws_1');
    mkdirSync(path, { recursive: true });
    for (let i = 0; i < 1_234; i++) writeFileSync(join(path, `${i}._S3rver_object`), 'x');
    const keys = new Set<string>();
    for await (const key of store.list('ws_1/')) keys.add(key);
    expect(keys.size).toBe(1_234);
    expect(peer.count('ListObjectsV2')).toBe(2);
  });

  it.each([
    [{ encryption: 'AES256' as const }, { 'x-amz-server-side-encryption': 'AES256' }],
    [
      { encryption: 'aws:kms' as const, kmsKeyId: 'key-1' },
      { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': 'key-1' },
    ],
  ])('asks for encryption with every object: %j', async (settings, headers) => {
    const store = open(settings);
    await store.put('small', bytes(ONE_PART));
    await store.put('large', bytes(THREE_PARTS));
    const begins = peer.requests.filter(({ operation }) => operation === 'PutObject' || operation === 'CreateMultipartUpload');
    expect(begins).toHaveLength(2);
    for (const begin of begins) expect(begin.headers).toMatchObject(headers);
  });

  it.each([
    ['CRC32' as const, 'x-amz-checksum-crc32'],
    ['SHA256' as const, 'x-amz-checksum-sha256'],
  ])('sends the checksum %s with every body where it is told to', async (checksum, header) => {
    const store = open({ checksum });
    await store.put('small', bytes(ONE_PART));
    await store.put('large', bytes(THREE_PARTS));
    const bodies = peer.requests.filter(({ operation }) => operation === 'PutObject' || operation === 'UploadPart');
    expect(bodies).toHaveLength(4);
    for (const { headers } of bodies) expect(headers[header]).toEqual(expect.any(String));
    expect((await store.stat('large'))?.sizeBytes).toBe(THREE_PARTS);
  });

  it('does not sweep an upload that is old and still gets parts', async () => {
    const store = open();
    leaveHalfWritten(3_600_000, 1_000);
    expect(await store.sweep(60_000)).toBe(0);
    expect(await halfWritten()).toBe(1);
  });

  it('gives up past the last part that S3 takes', async () => {
    const store = open({ partBytes: 1_000, maxParts: 100 });
    peer.fault = ({ operation }) =>
      operation === 'UploadPart' ? { answer: { status: 200, body: '', headers: { etag: '"0"' } } } : undefined;
    await expect(store.put('a', Readable.from([Buffer.alloc(101_000)]))).rejects.toMatchObject({
      reason: 'no_space',
      detail: expect.stringMatching(/more than 100 parts .*raise S3_PART_MB/),
    });
    expect(await halfWritten()).toBe(0);
  });
});

describe('an S3 store whose connection', () => {
  it.each<[Operation, number]>([
    ['PutObject', ONE_PART],
    ['CreateMultipartUpload', THREE_PARTS],
    ['UploadPart', THREE_PARTS],
    ['CompleteMultipartUpload', THREE_PARTS],
    ['HeadObject', ONE_PART],
  ])('is cut at a %s once, stores the object all the same', async (operation, size) => {
    const store = open();
    let cut = 0;
    peer.fault = (request) => (request.operation === operation && cut++ === 0 ? { cut: true } : undefined);
    expect((await store.put('a', bytes(size))).sizeBytes).toBe(size);
    expect(cut).toBeGreaterThan(1);
    expect((await read(await store.get('a'))).length).toBe(size);
  });

  it.each<[Operation, number]>([
    ['PutObject', ONE_PART],
    ['CreateMultipartUpload', THREE_PARTS],
    ['UploadPart', THREE_PARTS],
    ['CompleteMultipartUpload', THREE_PARTS],
  ])('is cut at every %s, fails with io and leaves nothing', async (operation, size) => {
    const store = open();
    peer.fault = (request) => (request.operation === operation ? { cut: true } : undefined);
    const stream = bytes(size);
    await expect(store.put('a', stream)).rejects.toMatchObject(io);
    expect(stream.destroyed).toBe(true);
    peer.fault = () => undefined;
    expect(await store.stat('a')).toBeNull();
    expect(await halfWritten()).toBe(0);
  });

  it.each<[Operation, number]>([
    ['PutObject', ONE_PART],
    ['UploadPart', THREE_PARTS],
    ['CompleteMultipartUpload', THREE_PARTS],
  ])('loses the answer to a %s, has the object once and says so', async (operation, size) => {
    const store = open();
    let lost = 0;
    peer.fault = (request) => (request.operation === operation && lost++ === 0 ? { loseAnswer: true } : undefined);
    const content = randomBytes(size);
    expect((await store.put('a', Readable.from([content]))).sizeBytes).toBe(size);
    expect((await read(await store.get('a'))).equals(content)).toBe(true);
    expect(await halfWritten()).toBe(0);
  });

  it('is cut in the middle of an object, fails with io in the middle of the stream', async () => {
    const store = open();
    await store.put('a', bytes(THREE_PARTS));
    peer.fault = ({ operation }) => (operation === 'GetObject' ? { cutAnswerAfter: 1_000_000 } : undefined);
    const stream = await store.get('a');
    let received = 0;
    stream.on('data', (chunk: Buffer) => (received += chunk.length));
    await expect(new Promise((_, reject) => stream.once('error', reject))).rejects.toMatchObject(io);
    expect(received).toBeGreaterThan(0);
  });

  it('cannot be made, fails with io', async () => {
    const store = open({ endpoint: 'http://127.0.0.1:9' });
    await expect(store.put('a', bytes(ONE_PART))).rejects.toMatchObject(io);
    await expect(store.check()).rejects.toMatchObject(io);
    await expect(store.get('a')).rejects.toMatchObject(io);
  });
});

describe('an S3 store that is silent', () => {
  it.each<[Operation, number]>([
    ['PutObject', ONE_PART],
    ['CreateMultipartUpload', THREE_PARTS],
    ['UploadPart', THREE_PARTS],
    ['CompleteMultipartUpload', THREE_PARTS],
  ])('at every %s: the put ends with io', async (operation, size) => {
    peer.fault = (request) => (request.operation === operation ? { hang: true } : undefined);
    // On a busy machine the upload's end may be answered too late as well, and is left to the sweep: time is doubled until it is not.
    for (let timeoutMs = 300; ; timeoutMs *= 2) {
      await expect(open({ timeoutMs }).put('a', bytes(size))).rejects.toMatchObject(io);
      if ((await halfWritten()) === 0) return;
      expect(timeoutMs).toBeLessThan(5_000);
    }
  });

  it('whatever is asked: every call ends with io', async () => {
    const store = open({ timeoutMs: 200 });
    peer.fault = () => ({ hang: true });
    await expect(store.stat('a')).rejects.toMatchObject(io);
    await expect(store.delete('a')).rejects.toMatchObject(io);
    await expect(store.get('a')).rejects.toMatchObject(io);
    await expect(store.sweep(0)).rejects.toMatchObject(io);
    await expect(store.check()).rejects.toMatchObject(io);
    await expect(
      (async () => {
        for await (const key of store.list()) expect(key).toBe('none');
      })(),
    ).rejects.toMatchObject(io);
  });

  it('in the middle of an object: the stream ends with io', async () => {
    await open().put('a', bytes(THREE_PARTS));
    const store = new S3SnapshotStore(peer.settings({ prefix, timeoutMs: 500 }));
    peer.fault = ({ operation }) => (operation === 'GetObject' ? { stallAnswerAfter: 1_000_000 } : undefined);
    await expect(read(await store.get('a'))).rejects.toMatchObject(io);
  });

  it('for less than its time, and slow: the object is stored', async () => {
    const store = open({ timeoutMs: 5_000 });
    peer.fault = () => ({ delayMs: 300 });
    expect((await store.put('a', bytes(THREE_PARTS))).sizeBytes).toBe(THREE_PARTS);
  });

  it('does not keep a put whose stream is given up', async () => {
    const store = open({ timeoutMs: 60_000 });
    let asked = false;
    peer.fault = ({ operation }) => (operation === 'UploadPart' ? ((asked = true), { hang: true }) : undefined);
    const stream = new Readable({ read: () => undefined });
    stream.push(randomBytes(THREE_PARTS));
    const putting = store.put('a', stream);
    putting.catch(() => undefined);
    while (!asked) await new Promise((resolve) => setTimeout(resolve, 10));
    stream.destroy(new Error('given up'));
    await expect(putting).rejects.toThrow('given up');
    expect(await halfWritten()).toBe(0);
  });
});

describe('what S3 answers', () => {
  it.each<[number, string, { reason: string; retryable: boolean }]>([
    [403, 'AccessDenied', { reason: 'denied', retryable: false }],
    [403, 'InvalidAccessKeyId', { reason: 'denied', retryable: false }],
    [403, 'SignatureDoesNotMatch', { reason: 'denied', retryable: false }],
    [404, 'NoSuchBucket', { reason: 'denied', retryable: false }],
    [400, 'KMS.DisabledException', { reason: 'denied', retryable: false }],
    [400, 'BadDigest', { reason: 'corrupt', retryable: false }],
    [400, 'EntityTooLarge', { reason: 'no_space', retryable: true }],
    [403, 'QuotaExceeded', { reason: 'no_space', retryable: true }],
    [507, 'XMinioStorageFull', { reason: 'no_space', retryable: true }],
    [507, 'SomethingElse', { reason: 'no_space', retryable: true }],
    [503, 'SlowDown', { reason: 'io', retryable: true }],
    [500, 'InternalError', { reason: 'io', retryable: true }],
    [418, 'SomethingElse', { reason: 'io', retryable: true }],
  ])('%i %s is one of the closed set', async (status, code, expected) => {
    for (const [operation, size] of [
      ['PutObject', ONE_PART],
      ['UploadPart', THREE_PARTS],
    ] as const) {
      const store = open();
      peer.fault = (request) => (request.operation === operation ? { answer: errorAnswer(status, code) } : undefined);
      const error: unknown = await store.put('a', bytes(size)).catch((it: unknown) => it);
      expect(error).toMatchObject({ name: 'SnapshotStoreError', ...expected, detail: `cannot store the snapshot: ${code} (${status})` });
      expect(String(error)).not.toContain('secret-detail');
      expect(await halfWritten()).toBe(0);
    }
  });

  it('503 and then not: the object is stored', async () => {
    const store = open();
    let times = 0;
    peer.fault = ({ operation }) => (operation === 'UploadPart' && times++ < 2 ? { answer: errorAnswer(503, 'SlowDown') } : undefined);
    expect((await store.put('a', bytes(THREE_PARTS))).sizeBytes).toBe(THREE_PARTS);
  });

  it('an answer that is not S3, such as a proxy has, is io', async () => {
    const store = open();
    peer.fault = () => ({ answer: { status: 502, body: '<html>Bad Gateway</html>', headers: { 'content-type': 'text/html' } } });
    await expect(store.put('a', bytes(ONE_PART))).rejects.toMatchObject(io);
    await expect(store.get('a')).rejects.toMatchObject(io);
  });

  it.each<[Operation, number]>([
    ['PutObject', ONE_PART],
    ['UploadPart', THREE_PARTS],
  ])('a body that was spoilt on its way (%s) is refused by the store, and is corrupt', async (operation, size) => {
    const store = open();
    peer.fault = (request) => (request.operation === operation ? { spoil: true } : undefined);
    await expect(store.put('a', bytes(size))).rejects.toMatchObject({
      reason: 'corrupt',
      detail: expect.stringContaining('XAmzContentSHA256Mismatch'),
    });
    expect(await store.stat('a')).toBeNull();
    expect(await halfWritten()).toBe(0);
  });

  it('another size than was put: the put fails with corrupt and leaves nothing', async () => {
    const store = open();
    peer.fault = ({ operation }) => {
      const put = peer.requests.find((one) => one.operation === 'PutObject');
      if (operation !== 'HeadObject' || put === undefined) return undefined;
      const mark = { 'x-amz-meta-reprise-write': String(put.headers['x-amz-meta-reprise-write']) };
      return { answer: { status: 200, body: '', headers: { 'content-length': '7', ...mark } } };
    };
    await expect(store.put('a', bytes(ONE_PART))).rejects.toMatchObject({ reason: 'corrupt' });
    peer.fault = () => undefined;
    expect(await store.stat('a')).toBeNull();
  });

  it('a bucket that is not there is denied, and no snapshot is taken for lost by it', async () => {
    const store = open({ bucket: 'no-such-bucket' });
    const denied = { reason: 'denied', retryable: false };
    await expect(store.put('a', bytes(ONE_PART))).rejects.toMatchObject(denied);
    await expect(store.put('a', bytes(THREE_PARTS))).rejects.toMatchObject(denied);
    await expect(store.stat('a')).rejects.toMatchObject({ ...denied, detail: 'there is no such bucket' });
    await expect(store.get('a')).rejects.toMatchObject(denied);
    await expect(store.delete('a')).rejects.toMatchObject(denied);
    await expect(store.check()).rejects.toMatchObject({ ...denied, detail: 'there is no such bucket' });
  });
});
