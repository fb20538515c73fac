import { DatabaseServiceConfig, Env, IsUrlOf } from '@reprise/platform';
import { IsIn, IsInt, IsNotEmpty, IsOptional, Matches, Max, Min, ValidateIf } from 'class-validator';
import type { SnapshotLimits } from './snapshots/limits';

const SNAPSHOT_STORES = ['files', 's3'] as const;
const S3_ENCRYPTIONS = ['none', 'AES256', 'aws:kms'] as const;
const S3_CHECKSUMS = ['none', 'CRC32', 'SHA256'] as const;
const S3_TRANSFERS = ['direct', 'through'] as const;

const withFiles = (config: SnapshotStoreConfig): boolean => config.snapshotStore === 'files';
const withS3 = (config: SnapshotStoreConfig): boolean => config.snapshotStore === 's3';
const withKeys = (config: SnapshotStoreConfig): boolean =>
  withS3(config) && (config.s3AccessKeyId !== undefined || config.s3SecretAccessKey !== undefined);

/** What the provisioner is told about where snapshots are kept, and for how long. */
export class SnapshotStoreConfig extends DatabaseServiceConfig {
  @Env('SNAPSHOT_STORE', {
    description: 'Where snapshots are kept: `files`, a directory; `s3`, a bucket of S3 or of a service that speaks as it does.',
    default: 'files',
    type: 'text',
  })
  @IsIn(SNAPSHOT_STORES)
  readonly snapshotStore!: (typeof SNAPSHOT_STORES)[number];

  @Env('SNAPSHOTS_DIR', {
    description: 'With SNAPSHOT_STORE=files: the directory of the snapshots.',
    example: '/var/lib/reprise/snapshots',
  })
  @ValidateIf(withFiles)
  @IsNotEmpty()
  readonly snapshotsDir!: string;

  @Env('SNAPSHOT_MAX_MB', {
    description:
      'How much the files of a workspace may have together, in MiB, as long as they say that they are: holes count. A workspace with more is not stopped or restarted: `snapshot_too_large`.',
    default: 32_768,
  })
  @IsInt()
  @Min(1)
  @Max(1_073_741_824)
  readonly snapshotMaxMb!: number;

  @Env('SNAPSHOT_MAX_ENTRIES', { description: 'The same for the number of files, directories and links.', default: 2_000_000 })
  @IsInt()
  @Min(10)
  @Max(100_000_000)
  readonly snapshotMaxEntries!: number;

  @Env('SNAPSHOT_MAX_DEPTH', {
    description: 'The same for how many directories deep the tree is. A path of more than 4,095 bytes is too long whatever is set here.',
    default: 2_048,
  })
  @IsInt()
  @Min(2)
  @Max(2_048)
  readonly snapshotMaxDepth!: number;

  @Env('S3_BUCKET', { description: 'With SNAPSHOT_STORE=s3: the bucket. It is not made.', example: 'reprise-snapshots' })
  @ValidateIf(withS3)
  @Matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
  readonly s3Bucket!: string;

  @Env('S3_PREFIX', { description: 'Stands before every key in the bucket, with a slash between.', example: 'staging/reprise' })
  @IsOptional()
  @Matches(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/)
  readonly s3Prefix?: string;

  @Env('S3_REGION', { description: "The bucket's region; most services other than AWS take any.", default: 'us-east-1' })
  @IsNotEmpty()
  readonly s3Region!: string;

  @Env('S3_ENDPOINT', { description: 'Another service than AWS.', example: 'https://minio.example.com:9000' })
  @IsOptional()
  @IsUrlOf(['https', 'http'])
  readonly s3Endpoint?: string;

  @Env('S3_POD_ENDPOINT', { description: 'With S3_TRANSFER=direct: where pods reach the service, if not by S3_ENDPOINT.' })
  @IsOptional()
  @IsUrlOf(['https', 'http'])
  readonly s3PodEndpoint?: string;

  @Env('S3_FORCE_PATH_STYLE', {
    description: "Whether the bucket stands in the path instead of in the host's name; most services other than AWS need it.",
    default: false,
  })
  readonly s3ForcePathStyle!: boolean;

  @Env('S3_ACCESS_KEY_ID', {
    description:
      'Together with S3_SECRET_ACCESS_KEY. Without both: what the AWS SDK finds by itself, such as a web identity or the role of the machine.',
  })
  @ValidateIf(withKeys)
  @IsNotEmpty()
  readonly s3AccessKeyId?: string;

  @Env('S3_SECRET_ACCESS_KEY', { description: 'Together with S3_ACCESS_KEY_ID.', secret: true })
  @ValidateIf(withKeys)
  @IsNotEmpty()
  readonly s3SecretAccessKey?: string;

  @Env('S3_SSE', {
    description: 'Encryption by the service that is asked for with every object; `none` leaves it to what the bucket is set to.',
    default: 'none',
    type: 'text',
  })
  @IsIn(S3_ENCRYPTIONS)
  readonly s3Sse!: (typeof S3_ENCRYPTIONS)[number];

  @Env('S3_KMS_KEY_ID', { description: "With S3_SSE=aws:kms: the key; the account's own where unset." })
  @IsOptional()
  @IsNotEmpty()
  readonly s3KmsKeyId?: string;

  @Env('S3_CHECKSUM', {
    description:
      'A checksum that the service keeps with each object, besides those that Reprise keeps and those that sign each request. Not every service has them.',
    default: 'none',
    type: 'text',
  })
  @IsIn(S3_CHECKSUMS)
  readonly s3Checksum!: (typeof S3_CHECKSUMS)[number];

  @Env('S3_PART_MB', {
    description:
      'How many MiB a part has. An object has 10,000 at most: 8 allows for 78 GiB, compressed. Each transfer holds three in memory.',
    default: 8,
  })
  @IsInt()
  @Min(5)
  @Max(512)
  readonly s3PartMb!: number;

  @Env('S3_TIMEOUT_SECONDS', { description: 'How long the service may be silent before a call counts as failed.', default: 30 })
  @IsInt()
  @Min(1)
  @Max(600)
  readonly s3TimeoutSeconds!: number;

  @Env('S3_TRANSFER', {
    description:
      '`direct`: snapshots go between pod and service, by addresses that are signed for one object and 15 minutes, and through the provisioner where that cannot be. `through`: always through the provisioner.',
    default: 'direct',
    type: 'text',
  })
  @IsIn(S3_TRANSFERS)
  readonly s3Transfer!: (typeof S3_TRANSFERS)[number];

  @Env('SNAPSHOTS_KEPT', { description: 'How many verified snapshots of a workspace are kept, the newest ones.', default: 3 })
  @IsInt()
  @Min(1)
  @Max(1_000)
  readonly snapshotsKept!: number;

  @Env('SNAPSHOTS_KEPT_HOURS', {
    description:
      'How long a verified snapshot stays after newer ones have taken its place. A backup of the database that is no older names only snapshots that are there.',
    default: 24,
  })
  @IsInt()
  @Min(0)
  @Max(87_600)
  readonly snapshotsKeptHours!: number;

  @Env('SNAPSHOT_ORPHAN_HOURS', {
    description: 'How old a snapshot that was never verified, or an object in the store that no snapshot refers to, is when it is deleted.',
    default: 24,
  })
  @IsInt()
  @Min(1)
  @Max(8_760)
  readonly snapshotOrphanHours!: number;
}

/** What a store is made of: of the configuration those parts that are about the store itself. Plain data, which can go to another thread. */
export type StoreSettings = Pick<SnapshotStoreConfig, 'snapshotStore' | 'snapshotsDir' | Extract<keyof SnapshotStoreConfig, `s3${string}`>>;

/** What a snapshot may have at most. */
export function snapshotLimits(config: SnapshotStoreConfig): SnapshotLimits {
  return { entries: config.snapshotMaxEntries, bytes: config.snapshotMaxMb * 1024 * 1024, depth: config.snapshotMaxDepth };
}

export function storeSettings(config: SnapshotStoreConfig): StoreSettings {
  const isOfStore = (name: string): boolean => name === 'snapshotStore' || name === 'snapshotsDir' || name.startsWith('s3');
  return Object.fromEntries(Object.entries(config).filter(([name]) => isOfStore(name))) as unknown as StoreSettings;
}
