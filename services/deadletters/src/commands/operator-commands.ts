import type { Idempotency } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Inbox, type MessageContext } from '@reprise/messaging';
import { Clock } from '@reprise/platform';
import type { DataSource, EntityManager } from 'typeorm';
import { AnswersRepository } from './answers.repository';

/** Who does it, when, and in which transaction. */
export interface Doing {
  manager: EntityManager;
  actor: string;
  now: Date;
}

/** Runs an operator's command once, however often it comes, by its message id and by its idempotency key, in one transaction with its effect. */
@Injectable()
export class OperatorCommands {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly inbox: Inbox,
    private readonly answers: AnswersRepository,
    private readonly clock: Clock,
  ) {}

  /** @throws RefusedError as the work does; then nothing has changed */
  run<T>({ idempotency }: { idempotency?: Idempotency }, message: MessageContext, work: (doing: Doing) => Promise<T>): Promise<T> {
    return this.inbox.once(this.dataSource, message, (manager) => {
      const now = this.clock.now();
      const doing = { manager, now, actor: message.actor ?? message.userId ?? 'unknown' };
      if (!idempotency) return work(doing);
      return this.answers.once(manager, { orgId: message.orgId ?? '', caller: doing.actor }, idempotency, now, () => work(doing));
    });
  }
}
