import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Inbox, type MessageContext, Outbox, OutboxRelay, type OutgoingMessage } from '@reprise/messaging';
import type { DataSource } from 'typeorm';

/** Records what came of a task's delivery, once for each command, and which tasks were interrupted. */
@Injectable()
export class TasksRepository {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly inbox: Inbox,
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
  ) {}

  /**
   * The inbox row and the event, in one statement. A command that was applied before tells nothing again. Resolves with whether the task was
   * interrupted by then.
   * @throws DeadLetter where the message's id was used for another message
   */
  async record(message: Pick<MessageContext, 'id' | 'queue' | 'bodyHash'>, taskId: string, event: OutgoingMessage): Promise<boolean> {
    const batch = this.outbox.prepare([event]);
    const [row] = await this.database.query<{ fresh: boolean; interrupted: boolean }[]>(
      `WITH fresh AS (
         INSERT INTO inbox (consumer, message_id, body_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1
       ), sent AS (${this.outbox.insertSql('$4', 'EXISTS (SELECT FROM fresh)')})
       SELECT EXISTS (SELECT FROM fresh) AS fresh, EXISTS (SELECT FROM interrupted_tasks WHERE task_id = $5) AS interrupted`,
      [message.queue, message.id, message.bodyHash, batch.parameter, taskId],
    );
    if (row?.fresh) this.relay.wake(batch);
    else await this.inbox.find(this.database, message);
    return row?.interrupted === true;
  }

  /** Remembers that the task was interrupted, and forgets what was interrupted long ago. */
  async interrupted(taskId: string): Promise<void> {
    await this.database.query(
      `WITH old AS (DELETE FROM interrupted_tasks WHERE at < now() - interval '1 day')
       INSERT INTO interrupted_tasks (task_id) VALUES ($1) ON CONFLICT DO NOTHING`,
      [taskId],
    );
  }
}
