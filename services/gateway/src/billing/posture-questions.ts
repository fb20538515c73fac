import { MOST_POSTURES } from '@reprise/contracts';

/** Puts one question about some tenants. @returns what was answered, by tenant; without those that are unknown */
export type Put<T> = (orgIds: string[]) => Promise<ReadonlyMap<string, T>>;

/** How long a question that was put keeps others from being put. */
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
  private underWay: Promise<void> | null = null;

  constructor(
    private readonly put: Put<T>,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** The answer about one tenant; undefined where it is unknown. @throws what putting the question threw, to all that are in it */
  async ask(orgId: string): Promise<T | undefined> {
    if (this.next === null || this.next.orgIds.size >= MOST_POSTURES) this.next = this.open();
    const { orgIds, answers } = this.next;
    orgIds.add(orgId);
    return (await answers).get(orgId);
  }

  private open(): Question<T> {
    const turn = this.underWay ?? Promise.resolve();
    // What runs then, runs in the context of whoever asks first: the question is in that request's trace.
    const question: Question<T> = { orgIds: new Set(), answers: turn.then(() => this.send(question)) };
    return question;
  }

  private send(question: Question<T>): Promise<ReadonlyMap<string, T>> {
    if (this.next === question) this.next = null;
    const answers = this.put([...question.orgIds]);
    const underWay = this.until(answers).then(() => {
      if (this.underWay === underWay) this.underWay = null;
    });
    this.underWay = underWay;
    return answers;
  }

  /** Until this is settled, or has taken too long to be waited for. Never rejects. */
  private until(answers: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.patienceMs);
      const settled = (): void => {
        clearTimeout(timer);
        resolve();
      };
      answers.then(settled, settled);
    });
  }
}
