import { IsBoolean, IsInt, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import type { RuleBeyondSchema } from '../schemas/schema';
import { BeyondSchema, HasDecimals, MayBeLeftOut } from './rules';

/** An image as registries name it: `[host[:port]/]path[:tag][@digest]`, its path of words with one separator between two. */
const IMAGE =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?\/)?[a-z0-9]+(?:(?:[./]|_{1,2}|-+)[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

/** What an installation allows is a setting of it. */
const INSTALLATION = (setting: string): RuleBeyondSchema => ({
  rule: 'installation',
  setting,
  code: 'validation_error',
  description: `Within what the installation allows: its setting ${setting}.`,
});

/** What a role's pods run in, and how much of it. What is left out is the installation's own default. Where pods are processes, none of it counts. */
export class RoleRuntime {
  @MayBeLeftOut()
  @IsString()
  @MaxLength(512)
  @BeyondSchema(INSTALLATION('ROLE_IMAGE_PREFIXES'))
  @Matches(IMAGE, { message: 'image must be the name of a container image, such as registry.example/team/image:tag' })
  image?: string;

  /** Cores. */
  @MayBeLeftOut()
  @HasDecimals(3)
  @Min(0.05)
  @Max(1_024)
  @BeyondSchema(INSTALLATION('ROLE_MAX_CPUS'))
  cpus?: number;

  /** In MiB. An agent needs about 50 of it. */
  @MayBeLeftOut()
  @IsInt()
  @Min(96)
  @Max(16_777_216)
  @BeyondSchema(INSTALLATION('ROLE_MAX_MEMORY_MB'))
  memory_mb?: number;

  /** Processes and threads at once. */
  @MayBeLeftOut()
  @IsInt()
  @Min(32)
  @Max(1_000_000)
  @BeyondSchema(INSTALLATION('ROLE_MAX_PIDS'))
  pids?: number;

  /** Room for the workspace, in MiB. */
  @MayBeLeftOut()
  @IsInt()
  @Min(16)
  @Max(1_073_741_824)
  @BeyondSchema(INSTALLATION('ROLE_MAX_DISK_MB'))
  disk_mb?: number;

  /** Whether everything but the workspace and the temporary directory is read-only. */
  @MayBeLeftOut()
  @IsBoolean()
  read_only_root?: boolean;
}
