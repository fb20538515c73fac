import { Type } from 'class-transformer';
import { IsBoolean, IsObject, IsOptional, Matches, ValidateNested, registerDecorator } from 'class-validator';
import { IdKind, isId } from '../ids';
import { IsSubject } from '../names';

/** A command asks and may be refused; a query asks and changes nothing; an event tells a fact. */
export type MessageKind = 'command' | 'query' | 'event';

/** What every message class says of itself, statically. */
export interface MessageClass<T extends object = object> {
  new (): T;
  /** The CloudEvents type and the routing key: `reprise.<thing>.<verb>.v<version>`. */
  readonly type: string;
  readonly kind: MessageKind;
  /** Which service handles it; null for an event that only outsiders read. */
  readonly consumer: Service | null;
  /** A complete, valid body. */
  readonly example: object;
  /** Of a command: whether its handler tells a refusal by `reprise.command.refused.v1` where no reply is wanted. */
  readonly tellsRefusal?: boolean;
}

export type Service = 'gateway' | 'lifecycle' | 'provisioner' | 'billing' | 'deadletters';

/** A TypeID of this kind. */
export function IsTypeId(kind: IdKind): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isTypeId',
      target: target.constructor,
      propertyName: propertyName as string,
      constraints: [kind],
      validator: { validate: (value: unknown) => isId(kind, value), defaultMessage: () => `${String(propertyName)} must be a ${kind} id` },
    });
}

/** Who asks, as the gateway found in the token. Refused from an internal service, which acts for the whole tenant and is known by its broker user. */
export class Caller {
  @IsSubject()
  sub!: string;

  /** True where the caller's scope reaches only what the caller created. */
  @IsBoolean()
  own_only!: boolean;
}

/** An idempotency key with the hash of the request that it came with. */
export class Idempotency {
  @Matches(/^[\x20-\x7e]{1,255}$/, { message: 'key must be 1 to 255 printable ASCII characters' })
  key!: string;

  @Matches(/^[0-9a-f]{64}$/)
  request_hash!: string;
}

/** What every command to lifecycle may carry. */
export abstract class LifecycleCommand {
  static readonly tellsRefusal: boolean = true;

  @IsOptional()
  @IsObject() // a list of callers would pass as nested
  @ValidateNested()
  @Type(() => Caller)
  caller?: Caller;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => Idempotency)
  idempotency?: Idempotency;
}

/** What every query to lifecycle may carry. */
export abstract class LifecycleQuery {
  /** Whose scope it is answered within; required from the gateway. Left out by an internal service, which sees what its tenant has. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => Caller)
  caller?: Caller;
}

/** Values that the examples share, so that a reader can follow one workspace through all of them. */
export const EXAMPLE = {
  caller: { sub: 'alice', own_only: false },
  workspace: 'ws_01k9zv6m3se4ht8v5y2q7n0xab',
  operation: 'op_01k9zv6m3se4ht8v5y2q7n0xac',
  snapshot: 'snap_01k9zv6m3se4ht8v5y2q7n0xad',
  task: 'task_01k9zv6m3se4ht8v5y2q7n0xae',
  role: 'role_01k9zv6m3se4ht8v5y2q7n0xaf',
  provider: 'prov_01k9zv6m3se4ht8v5y2q7n0xag',
  message: 'msg_01k9zv6m3se4ht8v5y2q7n0xah',
  dead_letter: 'dl_01k9zv6m3se4ht8v5y2q7n0xaj',
  replay: 'rpl_01k9zv6m3se4ht8v5y2q7n0xak',
  time: '2026-11-02T09:30:00.000Z',
} as const;
