import { DatabaseServiceConfig, Env } from '@reprise/platform';
import { IsArray, IsInt, IsNotEmpty, IsString, Max, Min } from 'class-validator';

/** What lifecycle is told. */
export class LifecycleConfig extends DatabaseServiceConfig {
  @Env('GATEWAY_AMQP_USER', {
    description:
      "The gateway's broker user: only its commands may name a caller of REST, and have had the tenant's posture checked; all others are checked here.",
    default: 'reprise_gateway',
  })
  @IsNotEmpty()
  readonly gatewayAmqpUser!: string;

  @Env('OPERATION_DEADLINE_SECONDS', {
    description: 'How long an operation may take before it has failed with operation_timeout.',
    default: 600,
  })
  @IsInt()
  @Min(5)
  @Max(86_400)
  readonly operationDeadlineSeconds!: number;

  @Env('OPERATION_RESEND_SECONDS', {
    description:
      'How long an operation may show no progress, or a submitted task no delivery, before its command is sent to the provisioner again, with the same message id.',
    default: 30,
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  readonly operationResendSeconds!: number;

  @Env('TASK_GRACE_SECONDS', {
    description:
      "How long after a task's timeout its end may be on its way; then it is interrupted, twice and as far apart, and then has failed with the reason timeout.",
    default: 60,
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  readonly taskGraceSeconds!: number;

  @Env('WATCHDOG_INTERVAL_SECONDS', {
    description: 'How often what is quiet, past its deadline or idle for too long is looked for.',
    default: 5,
  })
  @IsInt()
  @Min(1)
  @Max(3_600)
  readonly watchdogIntervalSeconds!: number;

  @Env('DEFAULT_TASK_TIMEOUT_SECONDS', { description: "A role's task_timeout_seconds where its maker gave none.", default: 3_600 })
  @IsInt()
  @Min(1)
  @Max(86_400)
  readonly defaultTaskTimeoutSeconds!: number;

  @Env('DEFAULT_IDLE_TIMEOUT_SECONDS', { description: "A role's idle_timeout_seconds where its maker gave none; 0 is never.", default: 0 })
  @IsInt()
  @Min(0)
  @Max(2_592_000)
  readonly defaultIdleTimeoutSeconds!: number;

  @Env('POD_LOST_RESUMES_PER_HOUR', {
    description:
      'How often in an hour a workspace whose role says so is resumed by itself after its pod was lost; then it stays failed for a while. 0 is never.',
    default: 3,
  })
  @IsInt()
  @Min(0)
  @Max(1_000)
  readonly podLostResumesPerHour!: number;

  @Env('ROLE_MAX_CPUS', { description: "The most cores that a role's runtime may ask for.", default: 16 })
  @IsInt()
  @Min(1)
  @Max(1_024)
  readonly roleMaxCpus!: number;

  @Env('ROLE_MAX_MEMORY_MB', { description: "The most memory in MiB that a role's runtime may ask for.", default: 65_536 })
  @IsInt()
  @Min(96)
  @Max(16_777_216)
  readonly roleMaxMemoryMb!: number;

  @Env('ROLE_MAX_PIDS', { description: "The most processes and threads that a role's runtime may ask for.", default: 16_384 })
  @IsInt()
  @Min(32)
  @Max(1_000_000)
  readonly roleMaxPids!: number;

  @Env('ROLE_MAX_DISK_MB', { description: "The most room in MiB that a role's runtime may ask for.", default: 1_048_576 })
  @IsInt()
  @Min(16)
  @Max(1_073_741_824)
  readonly roleMaxDiskMb!: number;

  @Env('ROLE_IMAGE_PREFIXES', {
    description:
      "What the name of a role's image must begin with, one of these, up to the end of a part of the name; any image is taken where it is empty.",
    default: [],
    example: 'registry.example.com/agents/,ghcr.io/acme/',
  })
  @IsArray()
  @IsString({ each: true })
  readonly roleImagePrefixes!: readonly string[];

  @Env('IDEMPOTENCY_RETENTION_HOURS', { description: 'How long an idempotency key and its first answer are remembered.', default: 48 })
  @IsInt()
  @Min(24)
  @Max(8_760)
  readonly idempotencyRetentionHours!: number;

  @Env('INBOX_RETENTION_DAYS', {
    description: 'How long applied messages are remembered; keep it longer than dead letters are kept.',
    default: 30,
  })
  @IsInt()
  @Min(1)
  @Max(3_650)
  readonly inboxRetentionDays!: number;

  @Env('PREFETCH', { description: 'How many messages of one queue are in hand at once.', default: 64 })
  @IsInt()
  @Min(1)
  @Max(2_000)
  readonly prefetch!: number;
}
