import { PodError } from '../pod-driver';
import { answering, EngineError } from './engine-error';

const failing = (error: Error): Promise<unknown> => answering(() => Promise.reject(error)).catch((reason: unknown) => reason);

describe('what the engine says, as an error of the port', () => {
  it.each<[number | string, string, string, boolean]>([
    [500, 'write /var/lib/docker/x: no space left on device', 'no_space', true],
    [500, 'driver failed', 'unavailable', true],
    [429, 'slow down', 'unavailable', true],
    ['ECONNREFUSED', 'ECONNREFUSED', 'unavailable', true],
    ['timeout', 'no answer within 5 ms', 'unavailable', true],
    ['EACCES', 'EACCES', 'denied', false],
  ])('%s: %s is %s', async (code, words, reason, retryable) => {
    expect(await failing(new EngineError('create container', code, words))).toMatchObject({
      reason,
      retryable,
      detail: expect.stringContaining(words),
    });
  });

  it('is cut where it has no end', async () => {
    expect(((await failing(new EngineError('list', 500, 'x'.repeat(10_000)))) as PodError).detail).toHaveLength(1_000);
  });

  it('leaves every other error as it is', async () => {
    const error = new PodError('older_pod_alive', 'it lives');
    expect(await failing(error)).toBe(error);
  });
});
