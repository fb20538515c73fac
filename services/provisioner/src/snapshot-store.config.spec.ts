import { ConfigError, parseConfig } from '@reprise/platform';
import { SnapshotStoreConfig } from './snapshot-store.config';
import { settingsOf } from './snapshots/s3/settings-of';

const RIGHT = { DATABASE_URL: 'postgres://role:pw@postgres:5432/db', AMQP_URL: 'amqp://u:pw@broker:5672/v' };
const S3 = { ...RIGHT, SNAPSHOT_STORE: 's3', S3_BUCKET: 'reprise-snapshots' };

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseConfig(SnapshotStoreConfig, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration of the snapshot store', () => {
  it('needs a directory for files and a bucket for S3, and not the other', () => {
    expect(problemsOf(RIGHT)).toEqual([expect.stringContaining('SNAPSHOTS_DIR is required')]);
    expect(problemsOf({ ...RIGHT, SNAPSHOTS_DIR: '/snapshots' })).toEqual([]);
    expect(problemsOf({ ...RIGHT, SNAPSHOT_STORE: 's3' })).toEqual([expect.stringContaining('S3_BUCKET is required')]);
    expect(problemsOf(S3)).toEqual([]);
  });

  it.each<[NodeJS.ProcessEnv, string]>([
    [{ SNAPSHOT_STORE: 'tape' }, 'SNAPSHOT_STORE must be one of files, s3 (got "tape")'],
    [{ S3_BUCKET: 'Not A Bucket' }, 'S3_BUCKET must be'],
    [{ S3_PREFIX: '/a/../b/' }, 'S3_PREFIX must be'],
    [{ S3_ENDPOINT: 'minio:9000' }, 'S3_ENDPOINT must be a URL starting with https:// or http://'],
    [{ S3_FORCE_PATH_STYLE: 'perhaps' }, 'S3_FORCE_PATH_STYLE must be true or false'],
    [{ S3_SSE: 'rot13' }, 'S3_SSE must be one of none, AES256, aws:kms (got "rot13")'],
    [{ S3_CHECKSUM: 'MD5' }, 'S3_CHECKSUM must be one of none, CRC32, SHA256 (got "MD5")'],
    [{ S3_PART_MB: '4' }, 'S3_PART_MB must be an integer between 5 and 512 (got "4")'],
    [{ S3_TIMEOUT_SECONDS: '0' }, 'S3_TIMEOUT_SECONDS must be an integer between 1 and 600 (got "0")'],
    [{ S3_TRANSFER: 'sideways' }, 'S3_TRANSFER must be one of direct, through (got "sideways")'],
    [{ S3_ACCESS_KEY_ID: 'key' }, 'S3_SECRET_ACCESS_KEY is required'],
    [{ S3_SECRET_ACCESS_KEY: 'hidden' }, 'S3_ACCESS_KEY_ID is required'],
    [{ SNAPSHOTS_KEPT_HOURS: '-1' }, 'SNAPSHOTS_KEPT_HOURS must be an integer between 0 and 87600 (got "-1")'],
  ])('says in one line what is wrong with %j', (wrong, line) => {
    const problems = problemsOf({ ...S3, ...wrong });
    expect(problems.join('\n')).toContain(line);
    expect(problems.join('\n')).not.toContain('hidden');
  });

  it('becomes the settings of the store, without what is not said', () => {
    expect(settingsOf(parseConfig(SnapshotStoreConfig, S3))).toEqual({
      bucket: 'reprise-snapshots',
      prefix: '',
      region: 'us-east-1',
      forcePathStyle: false,
      encryption: 'none',
      checksum: 'none',
      partBytes: 8 * 1024 * 1024,
      maxParts: 10_000,
      timeoutMs: 30_000,
      direct: true,
    });
    const all = {
      S3_PREFIX: 'a/b',
      S3_REGION: 'eu-central-1',
      S3_ENDPOINT: 'http://minio:9000',
      S3_POD_ENDPOINT: 'http://pods-minio:9000',
      S3_FORCE_PATH_STYLE: 'true',
      S3_ACCESS_KEY_ID: 'key',
      S3_SECRET_ACCESS_KEY: 'secret',
      S3_SSE: 'aws:kms',
      S3_KMS_KEY_ID: 'kms-1',
      S3_CHECKSUM: 'SHA256',
      S3_PART_MB: '64',
      S3_TIMEOUT_SECONDS: '5',
      S3_TRANSFER: 'through',
    };
    expect(settingsOf(parseConfig(SnapshotStoreConfig, { ...S3, ...all }))).toEqual({
      bucket: 'reprise-snapshots',
      prefix: 'a/b/',
      region: 'eu-central-1',
      endpoint: 'http://minio:9000',
      podEndpoint: 'http://pods-minio:9000',
      forcePathStyle: true,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      encryption: 'aws:kms',
      kmsKeyId: 'kms-1',
      checksum: 'SHA256',
      partBytes: 64 * 1024 * 1024,
      maxParts: 10_000,
      timeoutMs: 5_000,
      direct: false,
    });
  });
});
