import type { Reply } from '@reprise/contracts';
import { Inbox } from '@reprise/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { SCHEMA } from '../migrations';
import type { Fragment } from '../transactions/one-statement';
import type { Command, Common, Fact } from './command';

/** An idempotency key as it was first used. */
export interface RememberedAnswer {
  request_hash: string;
  reply: Reply<object>;
}

/**
 * Whether a row `k` is of this caller. The version before wrote rows without a caller, and one of its replicas may still do so during an upgrade: such a
 * row is of whoever the audit line of the same moment names. A refusal has no such line; it is given to whoever repeats the very request.
 */
function isOf(caller: string): string {
  return `(k.caller = ${caller} OR (k.caller = '' AND (
            EXISTS (SELECT FROM audit_log a WHERE a.at = k.created_at AND a.org_id = k.org_id AND a.actor = ${caller})
         OR (k.reply ->> 'status' = 'refused' AND k.reply -> 'refusal' ->> 'code' <> 'permission_denied'))))`;
}

/** What commands were answered with: by message id in the inbox, by idempotency key for the caller. */
@Injectable()
export class AnswersRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(Inbox) private readonly inbox: Inbox,
  ) {}

  /** The answer that this very message got when it was applied. */
  async byMessage(command: Command<unknown>): Promise<Reply<object> | null> {
    const applied = await this.inbox.find(this.dataSource, { id: command.id, queue: command.consumer, bodyHash: command.hash });
    return (applied?.reply as Reply<object> | undefined) ?? null;
  }

  /** What this caller's use of the key was answered with; the key of another caller is another key. */
  async byKey({ orgId, actor }: Pick<Command<unknown>, 'orgId' | 'actor'>, key: string): Promise<RememberedAnswer | null> {
    const rows = await this.dataSource.query<RememberedAnswer[]>(
      `SELECT k.request_hash, k.reply FROM idempotency_keys k WHERE k.org_id = $1 AND k.key = $2 AND ${isOf('$3')} ORDER BY k.caller DESC LIMIT 1`,
      [orgId, key, actor],
    );
    return rows[0] ?? null;
  }

  /** Marks the command as applied. Changes no row where it was before. */
  applied(message: Pick<Command<unknown>, 'id' | 'consumer' | 'hash'>, reply: Reply<object>): Fragment {
    return (bind) =>
      `INSERT INTO "${SCHEMA}".inbox (consumer, message_id, body_hash, reply)
       VALUES (${bind(message.consumer)}, ${bind(message.id)}, ${bind(message.hash)}, ${bind(JSON.stringify(reply))}::jsonb)
       ON CONFLICT DO NOTHING RETURNING 1`;
  }

  /** Marks facts as applied. Changes as many rows as there are messages that were not before. */
  appliedAll(facts: readonly Pick<Fact<unknown>, 'id' | 'consumer' | 'hash'>[]): Fragment {
    return (bind) =>
      `INSERT INTO "${SCHEMA}".inbox (consumer, message_id, body_hash)
       SELECT f.consumer, f.id, f.hash FROM unnest(${bind(facts.map(({ consumer }) => consumer))}::text[], ${bind(facts.map(({ id }) => id))}::text[],
                            ${bind(facts.map(({ hash }) => hash))}::bytea[]) AS f(consumer, id, hash)
       ON CONFLICT DO NOTHING RETURNING 1`;
  }

  /** Remembers the answer under the command's idempotency key. Changes no row where the key is taken; waits for one that is being taken. */
  remembered(command: Command<Common>, key: string, requestHash: string, reply: Reply<object>, now: Date): Fragment {
    return (bind) =>
      `INSERT INTO idempotency_keys (org_id, caller, key, request_hash, reply, created_at)
       SELECT n.org_id, n.caller, n.key, n.request_hash, n.reply, n.created_at
         FROM (VALUES (${bind(command.orgId)}::text, ${bind(command.actor)}::text, ${bind(key)}::text, ${bind(requestHash)}::text,
                       ${bind(JSON.stringify(reply))}::jsonb, ${bind(now)}::timestamptz)) AS n (org_id, caller, key, request_hash, reply, created_at)
        WHERE NOT EXISTS (SELECT FROM idempotency_keys k WHERE k.org_id = n.org_id AND k.key = n.key AND k.caller = '' AND ${isOf('n.caller')})
       ON CONFLICT DO NOTHING RETURNING 1`;
  }

  /** A line of the audit log: who did what to what. */
  audited(command: Command<unknown>, subject: string, detail: object, now: Date): Fragment {
    return (bind) =>
      `INSERT INTO audit_log (at, org_id, actor, action, subject, message_id, detail)
       VALUES (${bind(now)}, ${bind(command.orgId)}, ${bind(command.actor)}, ${bind(command.type)}, ${bind(subject)}, ${bind(command.id)},
               ${bind(JSON.stringify(detail))}::jsonb) RETURNING 1`;
  }

  /** Deletes idempotency keys older than this; returns how many. */
  async forgetKeysBefore(time: Date, manager: EntityManager = this.dataSource.manager): Promise<number> {
    const [, deleted] = await manager.query<[unknown, number]>(`DELETE FROM idempotency_keys WHERE created_at < $1`, [time]);
    return deleted;
  }
}
