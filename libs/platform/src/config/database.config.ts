import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { Env } from './env.decorator';
import { IsReadableFile, IsUrlOf } from './rules';
import { LogConfig, ServiceConfig } from './service.config';

const DATABASE_URL = {
  description: 'The PostgreSQL database, with the role and password of this service.',
  secret: true,
  example: 'postgres://role:password@postgres:5432/database',
};
const DATABASE_CA_FILE = {
  description:
    "The authority, in PEM, that the database's certificate must come from. With it every connection is encrypted, and the host in DATABASE_URL must stand in the certificate, whatever `sslmode` says there. For a public authority write `sslmode=verify-full` in DATABASE_URL instead.",
  example: '/etc/reprise/tls/database-ca.pem',
};
const POSTGRES = ['postgres', 'postgresql'];

/** What every service with a database is told. */
export class DatabaseServiceConfig extends ServiceConfig {
  @Env('DATABASE_URL', DATABASE_URL)
  @IsUrlOf(POSTGRES)
  readonly databaseUrl!: string;

  @Env('DATABASE_CA_FILE', DATABASE_CA_FILE)
  @IsOptional()
  @IsReadableFile()
  readonly databaseCaFile?: string;

  @Env('DATABASE_POOL_SIZE', {
    description: 'The most connections that this process holds open to the database.',
    default: 10,
  })
  @IsInt()
  @Min(2)
  @Max(200)
  readonly databasePoolSize!: number;
}

/** What a migration needs, which is less than its service does. */
export class MigrationConfig extends LogConfig {
  @Env('DATABASE_URL', DATABASE_URL)
  @IsUrlOf(POSTGRES)
  readonly databaseUrl!: string;

  @Env('DATABASE_CA_FILE', DATABASE_CA_FILE)
  @IsOptional()
  @IsReadableFile()
  readonly databaseCaFile?: string;

  @Env('MIGRATE_TO', { description: 'The last migration to run, by its name, for `reprise restore`; all where it is not set.' })
  @IsOptional()
  @Matches(/^\w+\d{13}$/)
  readonly migrateTo?: string;
}
