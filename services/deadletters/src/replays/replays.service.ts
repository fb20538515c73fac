import {
  type ControlReplay,
  type DeadLetterFilter,
  type EditDeadLetter,
  isId,
  type ListReplays,
  newId,
  refusal,
  type ReplayAction,
  type ReplayDeadLetter,
  type ReplayDeadLetters,
  type ReplayStatus,
  type ReplayView,
  senderPolicy,
} from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { AmqpConnection, CE, type MessageContext, RefusedError } from '@reprise/messaging';
import { type Doing, OperatorCommands } from '../commands/operator-commands';
import { DeadlettersConfig } from '../deadletters.config';
import { HistoryRepository } from '../history/history.repository';
import { fromJson, toJson } from '../letters/amqp-values';
import { fingerprintOf, identityOf } from '../letters/fingerprint';
import { saysSomething } from '../letters/letter-filter';
import { waits } from '../letters/letter.rules';
import type { WholeLetterRow } from '../letters/letter.view';
import { LettersRepository, type NewLetter } from '../letters/letters.repository';
import { nothingSaid } from '../letters/letters.service';
import { ReplayLettersRepository } from './replay-letters.repository';
import { ReplaysRepository } from './replays.repository';
import { senderOfChanged } from './sender.rules';

/** Putting dead letters back, and holding that up. A replay is promised here, in one transaction; the sender keeps the promise. */
@Injectable()
export class ReplaysService {
  constructor(
    private readonly letters: LettersRepository,
    private readonly replays: ReplaysRepository,
    private readonly replayed: ReplayLettersRepository,
    private readonly history: HistoryRepository,
    private readonly commands: OperatorCommands,
    private readonly config: DeadlettersConfig,
    private readonly connection: AmqpConnection,
  ) {}

  /** @throws RefusedError `replay_not_found` */
  async get(id: string): Promise<ReplayView> {
    const replay = await this.replays.find(id);
    if (!replay) throw new RefusedError(refusal('replay_not_found'));
    return replay;
  }

  /** @throws RefusedError `invalid_cursor` */
  async list({ limit, cursor }: ListReplays): Promise<{ replays: ReplayView[]; cursor?: string }> {
    if (cursor !== undefined && !isId('replay', cursor)) throw new RefusedError(refusal('invalid_cursor'));
    const rows = await this.replays.list(limit + 1, cursor);
    const page = rows.slice(0, limit);
    return { replays: page, ...(rows.length > limit ? { cursor: page.at(-1)!.id } : {}) };
  }

  /**
   * Replays whatever fits the filter and waits for an operator.
   * @throws RefusedError `validation_error` where the filter says nothing
   */
  replayAll(command: ReplayDeadLetters, message: MessageContext): Promise<ReplayView> {
    if (!saysSomething(command.filter)) throw new RefusedError(nothingSaid());
    return this.commands.run(command, message, (doing) => this.begin(doing, command.filter, command.rate_per_second));
  }

  /** @throws RefusedError `dead_letter_not_found`, `dead_letter_settled` */
  replayOne(command: ReplayDeadLetter, message: MessageContext): Promise<ReplayView> {
    return this.commands.run(command, message, async (doing) => {
      const { id } = await this.waiting(doing, command.dead_letter_id);
      return this.begin(doing, { ids: [id] });
    });
  }

  /** @throws RefusedError `editing_disabled`, `dead_letter_not_found`, `dead_letter_settled` */
  edit(command: EditDeadLetter, message: MessageContext): Promise<ReplayView> {
    if (!this.config.editDeadLetters) throw new RefusedError(refusal('editing_disabled'));
    return this.commands.run(command, message, async (doing) => {
      const old = await this.waiting(doing, command.dead_letter_id);
      const sender = senderOfChanged(old, this.connection.user, senderPolicy('deadletters', this.config).senders);
      const letter = edited(old, command.data, doing.actor, sender);
      await this.letters.insert(doing.manager, letter);
      await this.letters.linkEdited(doing.manager, old.id, letter.id);
      const { reason } = command;
      const event = { at: doing.now, actor: doing.actor };
      await this.history.add(doing.manager, { ...event, letterId: old.id, action: 'discarded', detail: { reason, edited_to: letter.id } });
      await this.history.add(doing.manager, { ...event, letterId: letter.id, action: 'edited', detail: { reason, edited_from: old.id } });
      return this.begin(doing, { ids: [letter.id] });
    });
  }

  /** @throws RefusedError `replay_not_found`, `replay_ended` */
  control(command: ControlReplay, message: MessageContext): Promise<ReplayView> {
    return this.commands.run(command, message, async ({ manager, actor, now }) => {
      const { replay_id: id, action } = command;
      const replay = await this.replays.lock(manager, id);
      if (!replay) throw new RefusedError(refusal('replay_not_found'));
      if (replay.status === 'done' || replay.status === 'cancelled') {
        throw new RefusedError(refusal('replay_ended', { status: replay.status }));
      }
      if (action === 'cancel') {
        const released = await this.replays.release(manager, id);
        await this.replayed.cancel(manager, id);
        await this.history.addAll(manager, released, { at: now, replayId: id, action: 'replay_cancelled', actor });
      }
      await this.replays.become(manager, id, STATUS_AFTER[action]);
      await this.history.add(manager, { at: now, replayId: id, action: `replay_${action}`, actor });
      return (await this.replays.find(id, manager))!;
    });
  }

  /** A locked letter that waits for an operator. */
  private async waiting({ manager }: Doing, id: string): Promise<WholeLetterRow> {
    const letter = await this.letters.lock(manager, id);
    if (!letter) throw new RefusedError(refusal('dead_letter_not_found'));
    if (!waits(letter.status)) throw new RefusedError(refusal('dead_letter_settled', { status: letter.status }));
    return letter;
  }

  private async begin(
    { manager, actor, now }: Doing,
    filter: DeadLetterFilter,
    rate = this.config.replayRatePerSecond,
  ): Promise<ReplayView> {
    const id = newId('replay');
    await this.replays.insert(manager, { id, status: 'running', rate_per_second: rate, requested_by: actor }, now);
    const letterIds = await this.letters.move(manager, filter, { from: ['open', 'failed_again'], to: 'replaying', replayId: id });
    await this.replayed.add(manager, id, letterIds);
    await this.history.add(manager, {
      at: now,
      replayId: id,
      action: 'replay_requested',
      actor,
      detail: { filter, letters: letterIds.length },
    });
    await this.history.addAll(manager, letterIds, { at: now, replayId: id, action: 'replay_requested', actor });
    return (await this.replays.find(id, manager))!;
  }
}

const STATUS_AFTER: Record<ReplayAction, ReplayStatus> = { pause: 'paused', resume: 'running', cancel: 'cancelled' };

/** The letter with other data, as a message of its own. */
function edited(old: WholeLetterRow, data: Record<string, unknown>, actor: string, sender: string | null): NewLetter {
  const { bytes: _, deaths: __, replays: ___, edited_to: ____, ...kept } = old;
  const messageId = newId('message');
  const body = Buffer.from(JSON.stringify(data));
  const headers = { ...fromJson(old.headers), [CE.actor]: actor };
  const { org_id: orgId, workspace_id: subject, queue, type, reason } = old;
  const text = (value: string | null): string | undefined => value ?? undefined;
  return {
    ...kept,
    id: newId('dead_letter'),
    identity: identityOf({ queue, messageId, type: text(type), orgId: text(orgId), subject: text(subject), actor, body }),
    status: 'open',
    message_id: messageId,
    sent_by: sender,
    fingerprint: fingerprintOf(text(type), queue, reason, text(old.exception)),
    headers: toJson(headers),
    properties: toJson({ ...fromJson(old.properties), messageId, contentType: 'application/json' }),
    body,
    replay_id: null,
    edited_from: old.id,
  };
}
