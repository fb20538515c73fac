import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { newId, SecretKeys } from '@reprise/contracts';
import { GatewayConfig } from '../gateway.config';
import type { Asking } from '../input/ask.decorator';
import type { ChangeRoleBody, CreateRoleBody } from './roles.input';

/** What encrypted values are of a change: null removes a variable. */
type Secrets<V extends string | null> = Record<string, V>;

/** Encrypts the values of roles' secrets before they leave the gateway. From here on only the provisioner reads them. */
@Injectable()
export class RoleSecrets {
  private readonly keys: SecretKeys;

  constructor({ secretsKey }: GatewayConfig) {
    this.keys = new SecretKeys(secretsKey);
  }

  /** A new role is given its id here: its secrets are encrypted for that one. */
  ofNew(orgId: string, { secret_env: values, ...body }: CreateRoleBody) {
    if (values === undefined) return body;
    const id = newId('role');
    return { ...body, id, secret_env: this.encrypted(values, orgId, id) };
  }

  ofChange(orgId: string, roleId: string, { secret_env: values, ...body }: ChangeRoleBody) {
    return values === undefined ? body : { ...body, secret_env: this.encrypted(values, orgId, roleId) };
  }

  /**
   * The request with its values in the hash that tells it from others under the same idempotency key. They go into it with a key: a plain hash is
   * stored, and a short value could be guessed from it.
   */
  keyed(asking: Asking, { secret_env: values }: { secret_env?: Secrets<string | null> }): Asking {
    const { idempotency } = asking;
    if (!idempotency || values === undefined) return asking;
    const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
    const request_hash = createHash('sha256')
      .update(idempotency.request_hash)
      .update(this.keys.mac(JSON.stringify(entries)))
      .digest('hex');
    return { ...asking, idempotency: { ...idempotency, request_hash } };
  }

  private encrypted<V extends string | null>(values: Secrets<V>, orgId: string, roleId: string): Secrets<V> {
    const encrypt = ([name, value]: [string, V]) => [name, value === null ? null : this.keys.encrypt(value, { orgId, roleId, name })];
    return Object.fromEntries(Object.entries(values).map(encrypt)) as Secrets<V>;
  }
}
