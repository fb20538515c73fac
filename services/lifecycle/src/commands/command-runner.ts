import { CommandAccepted, CommandRefused, ErrorCode, RefusalBody, Reply, isAboutCaller, isId, newId, refusal } from '@reprise/contracts';
import { Outbox, type OutboxBatch, OutboxRelay, type OutgoingMessage, RefusedError } from '@reprise/messaging';
import { Clock, addToContext, inTransactionSpan, isLockTimeout, isTransactionConflict, isUniqueViolation } from '@reprise/platform';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PostureService } from '../posture/posture.service';
import { OneStatement, StaleWriteError } from '../transactions/one-statement';
import { UnitOfWork } from '../transactions/unit-of-work';
import { WritesTogether } from '../transactions/writes-together';
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

/** One that can also do without locks, since its writes hit nothing where what it loaded has been written since. */
export type GuardedUseCase<R extends object> = (manager: EntityManager, now: Date, loading: { locked: boolean }) => Promise<Change<R>>;

/** The unique constraints that mean `name_taken`. The id of a role is the gateway's: one that is there came with the same command before. */
const NAMES = ['roles_name_in_org', 'providers_name_in_org', 'roles_pkey'];

/** The writes of which there is none where the command was answered before. */
const ANSWERED_ONCE = ['inbox_row', 'key_row'];

/** The command or its key turned out to be answered already: what was written is rolled back, and that answer is given. */
class AlreadyAnsweredError extends Error {}

/**
 * The one way in which a command is carried out: the change, its operation, the audit line, the inbox row, the idempotency key and the
 * outgoing messages commit in one transaction, in one statement. A command that was carried out before, by message id or by idempotency key,
 * gets its first answer. A refusal writes nothing, except where it has to be given again (a key) or told (no reply wanted). A refusal about the caller
 * comes before a remembered answer, and is not remembered itself.
 */
@Injectable()
export class CommandRunner {
  private readonly logger = new Logger(CommandRunner.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly writesTogether: WritesTogether,
    private readonly answers: AnswersRepository,
    private readonly posture: PostureService,
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
    private readonly clock: Clock,
  ) {}

  /**
   * Carries the command out without a lock, in two round trips, together with those that come at the same time; and once more under one, where someone else was faster.
   * @throws RefusedError
   */
  runGuarded<R extends object>(command: Command<Common>, useCase: GuardedUseCase<R>): Promise<R> {
    return this.answer(command, async () => {
      const atOnce = await this.acceptAtOnce(command, useCase);
      return atOnce ?? this.accept(command, (manager, now) => useCase(manager, now, { locked: true }));
    });
  }

  /** @throws RefusedError */
  run<R extends object>(command: Command<Common>, useCase: UseCase<R>): Promise<R> {
    return this.answer(command, () => this.accept(command, useCase));
  }

  private async answer<R extends object>(command: Command<Common>, accept: () => Promise<R>): Promise<R> {
    try {
      if (command.barred) throw new RefusedError(command.barred);
      if (!command.postureChecked) await this.posture.mustAllow(command);
      return await accept();
    } catch (error) {
      if (!(error instanceof RefusedError) && !(error instanceof AlreadyAnsweredError) && !isLockTimeout(error)) throw error;
      const earlier = await this.earlierAnswer(command, { byKey: mayHearAgain(command, error) });
      if (earlier) return answerOf<R>(earlier);
      if (error instanceof AlreadyAnsweredError) throw error;
      if (!(error instanceof RefusedError)) {
        if (command.data.idempotency) throw new RefusedError(refusal('idempotency_in_progress'));
        throw error;
      }
      return this.refuse<R>(command, error);
    }
  }

  /** Null where it was not written: what was loaded is not so any more, or the command was answered before. */
  private async acceptAtOnce<R extends object>(command: Command<Common>, useCase: GuardedUseCase<R>): Promise<R | null> {
    const { manager } = this.unitOfWork;
    try {
      return await inTransactionSpan(async () => {
        const now = this.clock.now();
        const change = await useCase(manager, now, { locked: false });
        const batch = this.complete(command, change, now);
        return (await this.writesTogether.write(change.writes)) ? this.tell(command, change, batch) : null;
      });
    } catch (error) {
      // Someone who was faster may also have taken a key that only one can have.
      if (isTransactionConflict(error) || isUniqueViolation(error)) return null;
      throw error;
    }
  }

  private async accept<R extends object>(command: Command<Common>, useCase: UseCase<R>): Promise<R> {
    const { change, batch } = await this.inTransaction(async (manager) => {
      const now = this.clock.now();
      const change = await useCase(manager, now);
      const batch = this.complete(command, change, now);
      await this.write(manager, change.writes);
      return { change, batch };
    });
    return this.tell(command, change, batch);
  }

  /** Adds to the writes of a change all that an accepted command leaves behind. */
  private complete<R extends object>(command: Command<Common>, { reply, writes, messages, audit }: Change<R>, now: Date) {
    writes.add('audit', this.answers.audited(command, audit.subject, audit.detail, now), 1);
    const told = command.wantsReply ? messages : [...messages, this.accepted(command, audit.subject, reply)];
    return this.record(command, { status: 'done', value: reply }, writes, told, now);
  }

  private tell<R extends object>(command: Command<Common>, { reply, audit }: Change<R>, batch: OutboxBatch): R {
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

  /** Adds all that every answered command leaves behind. */
  private record(
    command: Command<Common>,
    reply: Reply<object>,
    writes: OneStatement,
    messages: OutgoingMessage[],
    now: Date,
  ): OutboxBatch {
    const { idempotency } = command.data;
    writes.add('inbox_row', this.answers.applied(command, reply), 1);
    if (idempotency) writes.add('key_row', this.answers.remembered(command, idempotency.key, idempotency.request_hash, reply, now), 1);
    return this.addMessages(writes, messages);
  }

  private addMessages(writes: OneStatement, messages: OutgoingMessage[]): OutboxBatch {
    const batch = this.outbox.prepare(messages);
    if (messages.length > 0)
      writes.add('outbox_rows', (bind) => `${this.outbox.insertSql(bind(batch.parameter))} RETURNING 1`, messages.length);
    return batch;
  }

  private async write(manager: EntityManager, writes: OneStatement): Promise<void> {
    try {
      await writes.run(manager);
    } catch (error) {
      if (error instanceof StaleWriteError && ANSWERED_ONCE.includes(error.part)) throw new AlreadyAnsweredError();
      throw error;
    }
  }

  private async refuse<R extends object>(command: Command<Common>, error: RefusedError): Promise<R> {
    this.logger.log(`${command.type} is refused: ${error.code}`);
    const aboutCaller = isAboutCaller(error.code);
    if (command.wantsReply && (aboutCaller || !command.data.idempotency)) throw error;
    const body: RefusalBody = { ...error.refusal, code: error.code as ErrorCode };
    try {
      const writes = new OneStatement();
      const messages = command.wantsReply ? [] : [this.refused(command, body)];
      const batch = aboutCaller
        ? this.addMessages(writes, messages)
        : this.record(command, { status: 'refused', refusal: body }, writes, messages, this.clock.now());
      await this.unitOfWork.run((manager) => this.write(manager, writes));
      this.relay.wake(batch);
    } catch (raced) {
      if (!(raced instanceof AlreadyAnsweredError)) throw raced;
      const earlier = await this.earlierAnswer(command, { byKey: true });
      if (earlier) return answerOf<R>(earlier);
    }
    throw error;
  }

  private async earlierAnswer(command: Command<Common>, { byKey }: { byKey: boolean }): Promise<Reply<object> | null> {
    const { idempotency } = command.data;
    if (idempotency && byKey) {
      const remembered = await this.answers.byKey(command, idempotency.key);
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

/** Not where the caller is refused as such, nor where an `:own` scope could not be held against the workspace, since somebody else has its lock. */
function mayHearAgain({ data: { caller } }: Command<Common>, error: unknown): boolean {
  return error instanceof RefusedError ? !isAboutCaller(error.code) : !(isLockTimeout(error) && caller?.own_only);
}

function answerOf<R extends object>(reply: Reply<object>): R {
  if (reply.status === 'done') return reply.value as R;
  throw new RefusedError(reply.refusal);
}
