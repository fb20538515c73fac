import { Injectable } from '@nestjs/common';
import { type RoleRuntime, SecretError, SecretKeys } from '@reprise/contracts';
import type { Job } from '../jobs/job';
import type { PodRuntime, PodSpec } from '../pods/pod-driver';
import { PodKeys } from '../pods/pod-keys';
import { ProvisionerConfig } from '../provisioner.config';
import { newPodOf, specOf, StepError } from './step';

/** What pods are made from. Here, and nowhere else, the secrets of a role are decrypted: what is made of them is given to a driver and not kept. */
@Injectable()
export class PodSpecs {
  private readonly secrets: SecretKeys;

  constructor(
    private readonly keys: PodKeys,
    { secretsKey, secretsKeyPrevious }: ProvisionerConfig,
  ) {
    this.secrets = new SecretKeys(secretsKey, secretsKeyPrevious);
  }

  /**
   * A repeated create is given the same spec: it comes from the job alone, and the token is derived.
   * @throws StepError where a secret cannot be decrypted; while keys are rotated another replica may be able to
   */
  of(job: Job): PodSpec {
    const spec = specOf(job);
    const pod = newPodOf(job);
    return {
      ...pod,
      token: this.keys.token(pod),
      controlKeys: this.keys.publicKeys(),
      command: spec.command.length > 0 ? spec.command : null,
      env: { ...spec.env, ...this.secretsOf(job) },
      taskTimeoutSeconds: spec.task_timeout_seconds,
      environment: spec.environment,
      provider: { kind: spec.provider_kind, config: spec.provider_config },
      runtime: runtimeOf(spec.runtime),
    };
  }

  private secretsOf(job: Job): Record<string, string> {
    const { role_id: roleId, secret_env: secrets = {} } = specOf(job);
    const decrypt = ([name, secret]: [string, string]) => [name, this.secrets.decrypt(secret, { orgId: job.orgId ?? '', roleId, name })];
    try {
      return Object.fromEntries(Object.entries(secrets).map(decrypt)) as Record<string, string>;
    } catch (error) {
      if (error instanceof SecretError) throw new StepError(`The secret_env of the role cannot be used: ${error.message}.`, 'retryable');
      throw error;
    }
  }
}

function runtimeOf({ image, cpus, memory_mb, pids, disk_mb, read_only_root }: RoleRuntime = {}): PodRuntime {
  return {
    image: image ?? null,
    cpus: cpus ?? null,
    memoryMb: memory_mb ?? null,
    pids: pids ?? null,
    diskMb: disk_mb ?? null,
    readOnlyRoot: read_only_root ?? false,
  };
}
