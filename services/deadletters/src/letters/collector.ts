import { brokerUserOf, CATALOG, CommandDead, isOrgId, LONGEST_DEATH_MESSAGE, mayPublish, newId, QUEUES } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type Death, HEADER, Outbox, type OutgoingMessage } from '@reprise/messaging';
import { capText, Clock, inTransaction } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { HistoryRepository } from '../history/history.repository';
import { DeadlettersMetrics } from '../metrics/deadletters-metrics';
import { ReplayLettersRepository } from '../replays/replay-letters.repository';
import { toJson } from './amqp-values';
import { fingerprintOf, identityOf, storable } from './fingerprint';
import { afterDeath } from './letter.rules';
import { LettersRepository, type NewLetter } from './letters.repository';

const LONGEST_TEXT = 16_384;
/** Of a property of AMQP. */
const LONGEST_PROPERTY_BYTES = 255;

/** Takes dead messages over: a new one becomes a letter, one that has a letter already is linked to it. */
@Injectable()
export class Collector {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly letters: LettersRepository,
    private readonly replayed: ReplayLettersRepository,
    private readonly history: HistoryRepository,
    private readonly clock: Clock,
    private readonly metrics: DeadlettersMetrics,
    private readonly outbox: Outbox,
  ) {}

  /** Resolves once the message is safe. A delivery that comes twice leaves no more than one that comes once. */
  async collect(death: Death): Promise<void> {
    const letter = letterOf(death, this.clock.now());
    const { reason, exception, attempts, queue } = letter;
    await inTransaction(this.dataSource, async (manager) => {
      const tell = (letterId: string): Promise<void> => this.outbox.append(manager, deathNotices(death, { ...letter, id: letterId }));
      const event = { at: letter.last_failed_at, detail: { reason, exception, attempts, queue } };
      if (await this.letters.insert(manager, letter)) {
        await tell(letter.id);
        return this.history.add(manager, { ...event, letterId: letter.id, action: 'died' });
      }
      const before = await this.letters.lockByIdentity(manager, letter.identity);
      // The deaths of a message come in any order: the one that comes twice need not be the last one.
      if (death.lastFailure && (await this.history.tellsOfDeath(manager, before.id, event))) return;
      const replays = replaysOf(death);
      const status = afterDeath(before.status, replays > before.replays);
      await this.letters.diedAgain(manager, before.id, status, replays);
      await this.letters.showLatestDeath(manager, before.id, letter);
      if (status === 'failed_again' && before.replay_id) await this.replayed.failedAgain(manager, before.replay_id, before.id);
      await tell(before.id);
      await this.history.add(manager, { ...event, letterId: before.id, action: status === 'failed_again' ? 'failed_again' : 'died_again' });
    });
    this.metrics.collected(queue, reason);
  }
}

/** The queues of commands that internal services may send. */
const ANNOUNCED_QUEUES: ReadonlySet<string> = new Set(
  QUEUES.filter(({ kind, bindings }) => kind === 'work' && bindings.some(({ routingKey }) => isPublishers(routingKey))).map(
    ({ name }) => name,
  ),
);

function isPublishers(type: string): boolean {
  const message = CATALOG.get(type);
  return message !== undefined && mayPublish(brokerUserOf('publisher'), message);
}

/** What its sender is told of a dead command. */
function deathNotices({ properties }: Death, { id, queue, message_id, type, org_id, reason, exception }: NewLetter): OutgoingMessage[] {
  if (!ANNOUNCED_QUEUES.has(queue)) return [];
  // Without the name of the error's class, and without half of a character at its end.
  const message =
    exception
      ?.replace(/^(?:DeadLetter|[A-Za-z]*Error): /, '')
      .slice(0, LONGEST_DEATH_MESSAGE)
      .replace(/[\ud800-\udbff]$/, '') ?? null;
  const data: CommandDead = { command_id: message_id, command_type: type, dead_letter_id: id, reason, message };
  const correlationId = capText(storable(properties.correlationId) ?? message_id ?? '', LONGEST_PROPERTY_BYTES) || null;
  return [{ type: CommandDead.type, data, orgId: isOrgId(org_id) ? org_id : null, correlationId }];
}

function letterOf(death: Death, now: Date): NewLetter {
  const { queue, type, reason, exception, attempts, firstFailure, lastFailure } = death;
  return {
    id: newId('dead_letter'),
    identity: identityOf(death),
    status: 'open',
    message_id: storable(death.messageId),
    type: storable(type),
    queue,
    org_id: storable(death.orgId),
    workspace_id: storable(death.subject),
    sent_by: storable(death.userId),
    reason: storable(reason) ?? 'unknown',
    exception: storable(exception, LONGEST_TEXT),
    stack: storable(death.stack, LONGEST_TEXT),
    attempts,
    fingerprint: fingerprintOf(type, queue, reason, exception),
    first_failed_at: firstFailure ?? lastFailure ?? now,
    last_failed_at: lastFailure ?? now,
    headers: toJson(death.headers),
    properties: toJson(death.properties),
    body: death.body,
    replay_id: null,
    edited_from: null,
  };
}

/** Which replay sent the copy that died; 0 for none. */
function replaysOf({ headers }: Death): number {
  const count = headers[HEADER.replays];
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? Math.min(count, 1_000_000) : 0;
}
