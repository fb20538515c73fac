import { Env, IsUrlOf } from '@reprise/platform';
import { IsInt, IsOptional, Max, Min, MinLength } from 'class-validator';
import { KubernetesConfig } from './pods/kubernetes/kubernetes.config';

/** What the provisioner is told. */
export class ProvisionerConfig extends KubernetesConfig {
  @Env('GATEWAY_URL', { description: 'Where pods report their tasks.', example: 'http://gateway:8080' })
  @IsUrlOf(['http', 'https'])
  readonly gatewayUrl!: string;

  @Env('POD_TOKEN_SECRET', {
    description: "Pods' tokens and the key that signs what pods are told are derived from it; the gateway has the same one.",
    secret: true,
  })
  @MinLength(16)
  readonly podTokenSecret!: string;

  @Env('POD_TOKEN_SECRET_PREVIOUS', {
    description: 'While POD_TOKEN_SECRET is exchanged: the other one. Pods that were made with it can still be controlled.',
    secret: true,
  })
  @IsOptional()
  @MinLength(16)
  readonly podTokenSecretPrevious?: string;

  @Env('SECRETS_KEY', {
    description: "Decrypts the values of roles' `secret_env`; the same as the gateway has. Make it at random: `openssl rand -hex 32`.",
    secret: true,
  })
  @MinLength(32)
  readonly secretsKey!: string;

  @Env('SECRETS_KEY_PREVIOUS', {
    description: 'The SECRETS_KEY from before a rotation: what it encrypted can still be decrypted. See docs/deploy.md.',
    secret: true,
  })
  @IsOptional()
  @MinLength(32)
  readonly secretsKeyPrevious?: string;

  @Env('WORKER_CONCURRENCY', { description: 'How many jobs this process works at, at once.', default: 8 })
  @IsInt()
  @Min(1)
  @Max(1_000)
  readonly workerConcurrency!: number;

  @Env('TENANT_CONCURRENCY', {
    description:
      "How many jobs of one tenant run at once, on all replicas together. Below WORKER_CONCURRENCY, a tenant that restarts everything leaves room for another's one.",
    default: 6,
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  readonly tenantConcurrency!: number;

  @Env('WORKER_POLL_MS', { description: 'How often jobs that other replicas accepted or left behind are looked for.', default: 1_000 })
  @IsInt()
  @Min(50)
  @Max(60_000)
  readonly workerPollMs!: number;

  @Env('JOB_LEASE_SECONDS', {
    description:
      'How long after the last sign of life of a worker its jobs are taken over by another; it gives a sign three times as often.',
    default: 10,
  })
  @IsInt()
  @Min(1)
  @Max(600)
  readonly jobLeaseSeconds!: number;

  @Env('RECONCILE_INTERVAL_SECONDS', {
    description: 'How often the pods that there are are compared with those that should be.',
    default: 10,
  })
  @IsInt()
  @Min(1)
  @Max(3_600)
  readonly reconcileIntervalSeconds!: number;

  @Env('JOB_RETENTION_DAYS', {
    description: 'How long ended jobs, their journals and records of pods that are gone are kept.',
    default: 30,
  })
  @IsInt()
  @Min(1)
  @Max(3_650)
  readonly jobRetentionDays!: number;

  @Env('STEP_ATTEMPTS', {
    description: 'How often a step may fail before its job gives up. Teardown is tried until the deadline.',
    default: 5,
  })
  @IsInt()
  @Min(1)
  @Max(100)
  readonly stepAttempts!: number;

  @Env('STEP_RETRY_FIRST_MS', {
    description: 'The pause after the first failed attempt at a step; doubled after each further one.',
    default: 250,
  })
  @IsInt()
  @Min(1)
  @Max(60_000)
  readonly stepRetryFirstMs!: number;

  @Env('STEP_RETRY_LONGEST_MS', { description: 'The longest pause between two attempts at a step.', default: 10_000 })
  @IsInt()
  @Min(1)
  @Max(600_000)
  readonly stepRetryLongestMs!: number;

  @Env('STEP_TIMEOUT_SECONDS', {
    description: 'How long one attempt at quiesce, teardown, create or ready may take.',
    default: 60,
  })
  @IsInt()
  @Min(1)
  @Max(3_600)
  readonly stepTimeoutSeconds!: number;

  @Env('TRANSFER_TIMEOUT_SECONDS', {
    description: 'How long one attempt at snapshot, verify or restore may take; these carry all files of a workspace.',
    default: 540,
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  readonly transferTimeoutSeconds!: number;

  @Env('POD_GRACE_SECONDS', { description: 'What a pod gets to end by itself before its processes are killed.', default: 5 })
  @IsInt()
  @Min(0)
  @Max(300)
  readonly podGraceSeconds!: number;

  @Env('PREFETCH', { description: 'How many messages are in hand at once.', default: 64 })
  @IsInt()
  @Min(1)
  @Max(2_000)
  readonly prefetch!: number;

  @Env('INBOX_RETENTION_DAYS', {
    description: 'How long applied messages are remembered; keep it longer than dead letters are kept.',
    default: 30,
  })
  @IsInt()
  @Min(1)
  @Max(3_650)
  readonly inboxRetentionDays!: number;
}
