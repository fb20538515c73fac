import { DatabaseServiceConfig, Env } from '@reprise/platform';
import { IsInt, IsNotEmpty, Max, Min } from 'class-validator';

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
