import { setTimeout as sleep } from 'node:timers/promises';
import { MOST_POSTURES } from '@reprise/contracts';

/** Puts one question about some tenants. @returns what was answered, by tenant; without those that are unknown */
export type Put<T> = (orgIds: string[]) => Promise<ReadonlyMap<string, T>>;

/** A question that takes longer holds up nobody else's. */
const PATIENCE_MS = 50;

interface Question<T> {
  readonly orgIds: Set<string>;
  readonly answers: Promise<ReadonlyMap<string, T>>;
}

/**
 * Questions about tenants, each put after whoever asks has asked, so that no answer is older than what it is for. What is asked while a question is
 * under way goes into the next one, together: a gateway in a rush puts one for many requests, and one that is not puts each at once.
 */
export class PostureQuestions<T> {
  private next: Question<T> | null = null;
  private underWay: Promise<unknown> | null = null;

  constructor(private readonly put: Put<T>) {}

  /** The answer about one tenant; undefined where it is unknown. @throws what putting the question threw, to all that are in it */
  async ask(orgId: string): Promise<T | undefined> {
    if (this.next === null || this.next.orgIds.size >= MOST_POSTURES) this.next = this.open();
    const { orgIds, answers } = this.next;
    orgIds.add(orgId);
    return (await answers).get(orgId);
  }

  private open(): Question<T> {
    const question: Question<T> = { orgIds: new Set(), answers: this.turn().then(() => this.send(question)) };
    return question;
  }

  private async turn(): Promise<void> {
    if (this.underWay !== null) await Promise.race([this.underWay, sleep(PATIENCE_MS, undefined, { ref: false })]);
  }

  private send(question: Question<T>): Promise<ReadonlyMap<string, T>> {
    if (this.next === question) this.next = null;
    const answers = this.put([...question.orgIds]);
    const underWay = answers.then(nothing, nothing).then(() => {
      if (this.underWay === underWay) this.underWay = null;
    });
    this.underWay = underWay;
    return answers;
  }
}

function nothing(): void {
  // Whoever asked hears of it.
}
