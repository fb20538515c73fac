/** Ends a wait early, also one that begins just after it rang. */
export class Bell {
  private rung = false;
  private wake: (() => void) | undefined;
  private readonly onStop = (): void => this.ring();

  constructor(private readonly stop: AbortSignal) {
    stop.addEventListener('abort', this.onStop);
  }

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  async wait(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (!this.rung) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timer = setTimeout(resolve, milliseconds);
      });
    }
    clearTimeout(timer);
    this.rung = false;
    this.wake = undefined;
  }

  dispose(): void {
    this.stop.removeEventListener('abort', this.onStop);
  }
}
