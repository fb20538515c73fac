import { CommandAccepted, CommandRefused, ErrorCode, RefusalBody, Reply, isId, newId, refusal } from '@reprise/contracts';
import { Outbox, OutboxRelay, type OutgoingMessage, RefusedError } from '@reprise/messaging';
import { Clock, addToContext, isLockTimeout, isUniqueViolation } from '@reprise/platform';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PostureService } from '../posture/posture.service';
import { OneStatement } from '../transactions/one-statement';
import { UnitOfWork } from '../transactions/unit-of-work';
import { AnswersRepository } from './answers.repository';
import type { Command, Common } from './command';

/** What an accepted command does: its answer, the writes, the messages that they cause, and the line of the audit log. */
export interface Change<R extends object> {
  reply: R;
  writes: OneStatement;
  messages: OutgoingMessage[];
  audit: { subject: string; detail: object };
}

/** Loads what it needs with the manager and decides. @throws RefusedError */
export type UseCase<R extends object> = (manager: EntityManager, now: Date) => Promise<Change<R>>;

/** The unique constraints that mean `name_taken`. */
const NAMES = ['roles_name_in_org', 'providers_name_in_org'];

/** The command or its key turned out to be answered already: what was written is rolled back, and that answer is given. */
class AlreadyAnsweredError extends Error {}

/**
 * The one way in which a command is carried out: the change, its operation, the audit line, the inbox row, the idempotency key and the
 * outgoing messages commit in one transaction, in one statement. A command that was carried out before, by message id or by idempotency key,
 * gets its first answer. A refusal writes nothing, except where it has to be given again (a key) or told (no reply wanted).
 */
@Injectable()
export class CommandRunner {
  private readonly logger = new Logger(CommandRunner.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly answers: AnswersRepository,
    private readonly posture: PostureService,
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
    private readonly clock: Clock,
  ) {}

  /** @throws RefusedError */
  async run<R extends object>(command: Command<Common>, useCase: UseCase<R>): Promise<R> {
    try {
      if (command.barred) throw new RefusedError(command.barred);
      if (!command.postureChecked) await this.posture.mustAllow(command);
      return await this.accept(command, useCase);
    } catch (error) {
      if (!(error instanceof RefusedError) && !(error instanceof AlreadyAnsweredError) && !isLockTimeout(error)) throw error;
      const earlier = await this.earlierAnswer(command);
      if (earlier) return answerOf<R>(earlier);
      if (error instanceof AlreadyAnsweredError) throw error;
      if (!(error instanceof RefusedError)) {
        if (command.data.idempotency) throw new RefusedError(refusal('idempotency_in_progress'));
        throw error;
      }
      return this.refuse<R>(command, error);
    }
  }

  private async accept<R extends object>(command: Command<Common>, useCase: UseCase<R>): Promise<R> {
    const { reply, batch, audit } = await this.inTransaction(async (manager) => {
      const now = this.clock.now();
      const { reply, writes, messages, audit } = await useCase(manager, now);
      writes.add('audit', this.answers.audited(command, audit.subject, audit.detail, now), 1);
      const told = command.wantsReply ? messages : [...messages, this.accepted(command, audit.subject, reply)];
      const batch = await this.record(manager, command, { status: 'done', value: reply }, writes, told, now);
      return { reply, batch, audit };
    });
    this.relay.wake(batch);
    const { operation_id: operationId } = audit.detail as { operation_id?: string };
    addToContext({ operationId, ...(isId('workspace', audit.subject) ? { workspaceId: audit.subject } : {}) });
    this.logger.log(`${command.type} is accepted`);
    return reply;
  }

  /** A name that is taken is found by its unique constraint: no look before the write could be sure. */
  private async inTransaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.unitOfWork.run(work);
    } catch (error) {
      if (NAMES.some((constraint) => isUniqueViolation(error, constraint))) throw new RefusedError(refusal('name_taken'));
      throw error;
    }
  }

  /** Runs the writes together with all that every answered command leaves behind. */
  private async record(
    manager: EntityManager,
    command: Command<Common>,
    reply: Reply<object>,
    writes: OneStatement,
    messages: OutgoingMessage[],
    now: Date,
  ) {
    const batch = this.outbox.prepare(messages);
    const { idempotency } = command.data;
    writes.add('inbox_row', this.answers.applied(command, reply));
    if (idempotency) writes.add('key_row', this.answers.remembered(command, idempotency.key, idempotency.request_hash, reply, now));
    if (messages.length > 0)
      writes.add('outbox_rows', (bind) => `${this.outbox.insertSql(bind(batch.parameter))} RETURNING 1`, messages.length);
    const { inbox_row: applied, key_row: remembered } = await writes.run(manager);
    if (applied !== 1 || (idempotency && remembered !== 1)) throw new AlreadyAnsweredError();
    return batch;
  }

  private async refuse<R extends object>(command: Command<Common>, error: RefusedError): Promise<R> {
    this.logger.log(`${command.type} is refused: ${error.code}`);
    if (command.wantsReply && !command.data.idempotency) throw error;
    const body: RefusalBody = { ...error.refusal, code: error.code as ErrorCode };
    try {
      const batch = await this.unitOfWork.run((manager) =>
        this.record(
          manager,
          command,
          { status: 'refused', refusal: body },
          new OneStatement(),
          command.wantsReply ? [] : [this.refused(command, body)],
          this.clock.now(),
        ),
      );
      this.relay.wake(batch);
    } catch (raced) {
      if (!(raced instanceof AlreadyAnsweredError)) throw raced;
      const earlier = await this.earlierAnswer(command);
      if (earlier) return answerOf<R>(earlier);
    }
    throw error;
  }

  private async earlierAnswer(command: Command<Common>): Promise<Reply<object> | null> {
    const { idempotency } = command.data;
    if (idempotency) {
      const remembered = await this.answers.byKey(command.orgId, idempotency.key);
      if (remembered && remembered.request_hash !== idempotency.request_hash)
        return { status: 'refused', refusal: refusal('idempotency_key_reused') };
      if (remembered) return remembered.reply;
    }
    return this.answers.byMessage(command);
  }

  private accepted(command: Command<Common>, subject: string, answer: object): OutgoingMessage {
    return this.outcome(command, subject, CommandAccepted.type, { command_id: command.id, command_type: command.type, answer });
  }

  private refused(command: Command<Common>, { code, message, details }: RefusalBody): OutgoingMessage {
    const { workspace_id: subject } = command.data as { workspace_id?: string };
    return this.outcome(command, subject ?? null, CommandRefused.type, {
      command_id: command.id,
      command_type: command.type,
      code,
      message,
      ...(details ? { details } : {}),
    });
  }

  private outcome(command: Command<Common>, subject: string | null, type: string, data: object): OutgoingMessage {
    return { id: newId('message'), type, data, subject, orgId: command.orgId, actor: command.actor, correlationId: command.correlationId };
  }
}

function answerOf<R extends object>(reply: Reply<object>): R {
  if (reply.status === 'done') return reply.value as R;
  throw new RefusedError(reply.refusal);
}
