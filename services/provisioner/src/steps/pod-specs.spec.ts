import { SecretKeys } from '@reprise/contracts';
import { aJob } from '../jobs/testing/job';
import { ANY_RUNTIME } from '../pods/pod-driver';
import { PodKeys } from '../pods/pod-keys';
import type { ProvisionerConfig } from '../provisioner.config';
import { PodSpecs } from './pod-specs';
import { StepError } from './step';

const KEY = 'the-key-of-today-of-some-length-123';
const OLD_KEY = 'the-key-before-of-some-length-1234';
const specs = (more: Partial<ProvisionerConfig> = {}, secret = 'a secret of the right length') =>
  new PodSpecs(new PodKeys(secret), { secretsKey: KEY, ...more } as ProvisionerConfig);

describe('what a pod is made from', () => {
  const job = aJob({ kind: 'create', orgId: 'acme' });
  const withSpec = (more: object) => ({ ...job, spec: { ...job.spec!, ...more } });
  const encrypted = (key: string, name: string, value: string, orgId = 'acme') =>
    withSpec({
      env: { LANG: 'C', NAME: 'open' },
      secret_env: { [name]: new SecretKeys(key).encrypt(value, { orgId, roleId: job.spec!.role_id, name }) },
    });

  it('is the same for the same job, token included', () => {
    expect(specs().of(job)).toEqual(specs().of(job));
    expect(specs().of(job).token).not.toBe(specs({}, 'another secret of that length').of(job).token);
  });

  it('says what the role says about its runtime', () => {
    const runtime = { image: 'team/image:1', cpus: 0.5, memory_mb: 512, pids: 100, disk_mb: 1024, read_only_root: true };
    expect(specs().of(withSpec({ runtime })).runtime).toEqual({
      image: 'team/image:1',
      cpus: 0.5,
      memoryMb: 512,
      pids: 100,
      diskMb: 1024,
      readOnlyRoot: true,
    });
  });

  it('leaves to the driver what the role does not say', () => {
    expect(specs().of(job).runtime).toEqual(ANY_RUNTIME);
    expect(specs().of(withSpec({ runtime: { cpus: 2 } })).runtime).toEqual({ ...ANY_RUNTIME, cpus: 2 });
  });

  it('has the secrets of the role in clear, before the variables of the same name, and the job has not', () => {
    const secret = encrypted(KEY, 'NAME', 's3cret');
    expect(specs().of(secret).env).toEqual({ LANG: 'C', NAME: 's3cret' });
    expect(JSON.stringify(secret)).not.toContain('s3cret');
  });

  it('decrypts what the key before encrypted, as long as that one is configured', () => {
    const secret = encrypted(OLD_KEY, 'NAME', 's3cret');
    expect(specs({ secretsKeyPrevious: OLD_KEY }).of(secret).env.NAME).toBe('s3cret');
    expect(() => specs().of(secret)).toThrow(
      /^The secret_env of the role cannot be used: NAME was encrypted with a key that is not configured here/,
    );
    expect(() => specs().of(secret)).toThrow(StepError);
  });

  it('takes no secret of another organization', () => {
    expect(() => specs().of(encrypted(KEY, 'NAME', 's3cret', 'evil'))).toThrow(StepError);
  });
});
