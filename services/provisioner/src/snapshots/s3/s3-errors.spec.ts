import { SnapshotStoreError } from '../snapshot-store';
import { asStoreError, isAnswer } from './s3-errors';

const secret = 'GET https://bucket.example.com/key?X-Amz-Signature=abc';
const answer = (name: string, status?: number, code?: string): Error =>
  Object.assign(new Error(secret), { name, ...(code ? { code } : {}), $metadata: { httpStatusCode: status } });

describe('what the SDK fails with', () => {
  it.each<[Error, string, string]>([
    [answer('Error', undefined, 'ECONNREFUSED'), 'io', 'ECONNREFUSED'],
    [answer('Error', undefined, 'ENOTFOUND'), 'io', 'ENOTFOUND'],
    [answer('TimeoutError'), 'io', 'TimeoutError'],
    [answer('AbortError'), 'io', 'no answer in time'],
    [answer('Error'), 'io', 'no answer that could be read'],
    [answer('NotFound', 404), 'missing', 'NotFound (404)'],
    [answer('NoSuchKey', 404), 'missing', 'NoSuchKey (404)'],
    [answer('NoSuchBucket', 404), 'denied', 'NoSuchBucket (404)'],
    [answer('NoSuchUpload', 404), 'io', 'NoSuchUpload (404)'],
    [answer('CredentialsProviderError'), 'denied', 'CredentialsProviderError'],
    [answer('KMS.NotFoundException', 400), 'denied', 'KMS.NotFoundException (400)'],
    [answer('UnknownError', 403), 'denied', 'no answer that could be read (403)'],
    [answer('UnknownError', 413), 'no_space', 'no answer that could be read (413)'],
    [answer('QuotaExceeded', 403), 'no_space', 'QuotaExceeded (403)'],
    [answer('RequestTimeTooSkewed', 500), 'io', 'RequestTimeTooSkewed (500)'],
  ])('%s is one of the closed set', (error, reason, said) => {
    const mapped = asStoreError(error, 'cannot read a');
    expect(mapped).toMatchObject({ reason, detail: `cannot read a: ${said}` });
    expect(mapped.message).not.toContain('X-Amz');
  });

  it('an error of the store stays what it is', () => {
    const error = new SnapshotStoreError('corrupt', 'x');
    expect(asStoreError(error, 'cannot read a')).toBe(error);
  });

  it('is known by its name, also once it was mapped', () => {
    const error = answer('NoSuchUpload', 404);
    expect(isAnswer(error, 'NoSuchUpload')).toBe(true);
    expect(isAnswer(asStoreError(error, 'x'), 'NoSuchUpload')).toBe(true);
    expect(isAnswer(answer('NoSuchKey', 404), 'NoSuchUpload')).toBe(false);
  });
});
