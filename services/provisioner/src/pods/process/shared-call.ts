/**
 * One run of an expensive read for all who wait for it. A run answers everybody who asked before it began, and nobody who asked later: what it answers was
 * true at some time after the question.
 */
export class SharedCall<T> {
  private running: Promise<T> | undefined;
  private next: Promise<T> | undefined;

  constructor(private readonly run: () => Promise<T>) {}

  call(): Promise<T> {
    if (this.running === undefined) return this.begin();
    const begin = (): Promise<T> => {
      this.next = undefined;
      return this.begin();
    };
    return (this.next ??= this.running.then(begin, begin));
  }

  private begin(): Promise<T> {
    const running = this.run().finally(() => {
      if (this.running === running) this.running = undefined;
    });
    return (this.running = running);
  }
}
