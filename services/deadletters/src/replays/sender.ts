import { EXCHANGE } from '@reprise/contracts';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { AmqpConnection, Publisher, toReplay, UnroutableError } from '@reprise/messaging';
import { Clock } from '@reprise/platform';
import type { DataSource, EntityManager } from 'typeorm';
import { HistoryRepository } from '../history/history.repository';
import { DeadlettersMetrics } from '../metrics/deadletters-metrics';
import { fromJson } from '../letters/amqp-values';
import { paceOf, restOf } from './pace.rules';
import { ReplayLettersRepository } from './replay-letters.repository';
import { senderOfReplay } from './sender.rules';
import { type DueLetter, type ReplayRow, ReplaysRepository } from './replays.repository';

/** While a replay runs. */
const LOOK_EVERY_MS = 200;
/** While none does: so long a new one waits at most. */
const IDLE_LOOK_MS = 1_000;
const AFTER_FAILURE_MS = 2_000;
/** However large the letters are: what a batch holds in memory. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * Sends what replays have promised: the letters themselves are the outbox (docs/adr). A batch is claimed, published with confirms and marked in
 * one transaction; a crash between the two sends it again, and the inbox of the consumer makes it one effect. Until a message is confirmed its
 * letter stays, pending.
 */
@Injectable()
export class Sender implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Sender.name);
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly publisher: Publisher,
    private readonly replays: ReplaysRepository,
    private readonly replayed: ReplayLettersRepository,
    private readonly history: HistoryRepository,
    private readonly clock: Clock,
    private readonly metrics: DeadlettersMetrics,
    private readonly connection: AmqpConnection,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(0);
  }

  /** Finishes the batch in hand, while the broker is still connected. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.working;
  }

  private schedule(ms: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.working = this.work();
    }, ms);
    this.timer.unref();
  }

  private async work(): Promise<void> {
    try {
      // Mostly there is none, and a transaction to find that out would be three statements.
      const { running, due } = await this.replays.look();
      const sent = due && (await this.sendBatch());
      this.schedule(sent ? 0 : running ? LOOK_EVERY_MS : IDLE_LOOK_MS);
    } catch (error) {
      this.logger.warn(`No replay gets on: ${(error as Error).message}`);
      this.schedule(AFTER_FAILURE_MS);
    }
  }

  /** Sends one batch of the replay that is due first. @returns whether there was one */
  private sendBatch(): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const replay = await this.replays.claim(manager);
      if (!replay) return false;
      const began = performance.now();
      const pace = paceOf(replay.rate_per_second);
      const ids = await this.replayed.pending(manager, replay.id, pace.size);
      if (ids.length === 0) {
        await this.replays.become(manager, replay.id, 'done');
        await this.history.add(manager, { at: this.clock.now(), replayId: replay.id, action: 'replay_done' });
        return true;
      }
      const letters = await this.replays.due(manager, replay.id, ids, MOST_BYTES);
      const error = await this.send(manager, replay, letters);
      const rest = error === null ? restOf(pace, letters.length, performance.now() - began) : AFTER_FAILURE_MS;
      await this.replays.nextBatchIn(manager, replay.id, rest, error);
      return true;
    });
  }

  /** @returns why some could not be sent for now, or null */
  private async send(manager: EntityManager, { id: replayId }: ReplayRow, letters: readonly DueLetter[]): Promise<string | null> {
    const results = await Promise.allSettled(letters.map((letter) => this.publisher.send(messageOf(letter, this.connection.user))));
    this.metrics.replayed(results);
    const sent = letters.filter((_, i) => results[i]?.status === 'fulfilled').map(({ id }) => id);
    const at = this.clock.now();
    if (sent.length > 0) {
      await this.replays.sent(manager, sent);
      await this.replayed.sent(manager, replayId, sent);
      await this.history.addAll(manager, sent, { at, replayId, action: 'replayed' });
    }
    let error: string | null = null;
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const why = (result.reason as Error).message;
      if (result.reason instanceof UnroutableError) await this.giveBack(manager, replayId, letters[i]!.id, why, at);
      else error = why;
    }
    return error;
  }

  /** Its queue has gone: sending it again does not help, and it must not hold up the others. */
  private async giveBack(manager: EntityManager, replayId: string, letterId: string, why: string, at: Date): Promise<void> {
    await this.replays.unroutable(manager, letterId, why);
    await this.replayed.failedAgain(manager, replayId, letterId);
    await this.history.add(manager, { at, letterId, replayId, action: 'failed_again', detail: { exception: why } });
  }
}

function messageOf(letter: DueLetter, ourselves: string): ReturnType<typeof toReplay> {
  const { queue, body, headers, properties, replays } = letter;
  const message = { queue, body, headers: fromJson(headers), properties: fromJson(properties) };
  return toReplay({ ...message, userId: senderOfReplay(letter, ourselves), replays: replays + 1 }, EXCHANGE);
}
