import {
  type DeadLetterGroupView,
  type DeadLetterView,
  type DeadLetterWhole,
  type DiscardDeadLetter,
  type DiscardDeadLetters,
  type ListDeadLetterGroups,
  type ListDeadLetters,
  isId,
  refusal,
} from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { type MessageContext, RefusedError } from '@reprise/messaging';
import { type Doing, OperatorCommands } from '../commands/operator-commands';
import { HistoryRepository } from '../history/history.repository';
import { Reads } from '../history/reads.service';
import { ReplayLettersRepository } from '../replays/replay-letters.repository';
import { saysSomething } from './letter-filter';
import { discardable } from './letter.rules';
import { viewOf, wholeOf } from './letter.view';
import { LettersRepository } from './letters.repository';

/** Reading dead letters, and giving them up. */
@Injectable()
export class LettersService {
  constructor(
    private readonly letters: LettersRepository,
    private readonly replayed: ReplayLettersRepository,
    private readonly history: HistoryRepository,
    private readonly reads: Reads,
    private readonly commands: OperatorCommands,
  ) {}

  /** @throws RefusedError `invalid_cursor` */
  async list(
    { filter, limit, cursor }: ListDeadLetters,
    message: MessageContext,
  ): Promise<{ dead_letters: DeadLetterView[]; cursor?: string }> {
    if (cursor !== undefined && !isId('dead_letter', cursor)) throw new RefusedError(refusal('invalid_cursor'));
    await this.reads.record({ action: 'letters_listed', detail: { filter, limit, cursor } }, message);
    const rows = await this.letters.list(filter, limit + 1, cursor);
    const page = rows.slice(0, limit);
    return { dead_letters: page.map(viewOf), ...(rows.length > limit ? { cursor: page.at(-1)!.id } : {}) };
  }

  async groups({ filter, limit }: ListDeadLetterGroups, message: MessageContext): Promise<{ groups: DeadLetterGroupView[] }> {
    await this.reads.record({ action: 'groups_listed', detail: { filter, limit } }, message);
    return { groups: await this.letters.groups(filter, limit) };
  }

  /** @throws RefusedError `dead_letter_not_found` */
  async show(id: string, message: MessageContext): Promise<DeadLetterWhole> {
    const row = await this.letters.find(id);
    if (!row) throw new RefusedError(refusal('dead_letter_not_found'));
    await this.reads.record({ action: 'letter_read', letterId: id }, message);
    return wholeOf(row, await this.history.of(id));
  }

  /** @throws RefusedError `dead_letter_not_found`, `dead_letter_settled` */
  discardOne(command: DiscardDeadLetter, message: MessageContext): Promise<DeadLetterView> {
    return this.commands.run(command, message, async (doing) => {
      const row = await this.letters.lock(doing.manager, command.dead_letter_id);
      if (!row) throw new RefusedError(refusal('dead_letter_not_found'));
      if (!discardable(row.status)) throw new RefusedError(refusal('dead_letter_settled', { status: row.status }));
      await this.discard(doing, { ids: [row.id] }, command.reason);
      return viewOf({ ...row, status: 'discarded' });
    });
  }

  /** @throws RefusedError `validation_error` where the filter says nothing: everything must be asked for in words */
  discardAll(command: DiscardDeadLetters, message: MessageContext): Promise<{ discarded: number }> {
    if (!saysSomething(command.filter)) throw new RefusedError(nothingSaid());
    return this.commands.run(command, message, async (doing) => ({
      discarded: (await this.discard(doing, command.filter, command.reason)).length,
    }));
  }

  private async discard({ manager, actor, now }: Doing, filter: DiscardDeadLetters['filter'], reason: string): Promise<string[]> {
    const ids = await this.letters.move(manager, filter, { from: ['open', 'failed_again', 'replaying'], to: 'discarded' });
    await this.replayed.discarded(manager, ids);
    await this.history.addAll(manager, ids, { at: now, action: 'discarded', actor, detail: { reason } });
    return ids;
  }
}

/** The refusal of a filter without a condition. */
export function nothingSaid(): ReturnType<typeof refusal> {
  return refusal('validation_error', { fields: { filter: 'say which: at least one of ids, type, queue, reason, org_id, …' } });
}
