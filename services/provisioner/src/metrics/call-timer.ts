/** A histogram of `call` and `outcome`, or whatever passes on to one. */
export interface Durations {
  observe(labels: Record<'call' | 'outcome', string>, seconds: number): void;
}

/** Times the calls of a port by how they end. */
export class CallTimer {
  /** @param reasonOf why a call failed, out of a closed list */
  constructor(
    private readonly durations: Durations,
    private readonly reasonOf: (error: unknown) => string,
  ) {}

  async time<T>(call: string, work: () => Promise<T>): Promise<T> {
    const end = this.begin(call);
    try {
      const result = await work();
      end();
      return result;
    } catch (error) {
      end(error);
      throw error;
    }
  }

  /** For a call whose end is not that of a promise; only the first end counts. */
  begin(call: string): (error?: unknown) => void {
    const began = performance.now();
    let open = true;
    return (error) => {
      if (open)
        this.durations.observe({ call, outcome: error === undefined ? 'ok' : this.reasonOf(error) }, (performance.now() - began) / 1_000);
      open = false;
    };
  }
}
