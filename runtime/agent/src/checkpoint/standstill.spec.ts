import { Standstill } from './standstill';

/** What stands still in the background, and how often it was told to go on. */
class FakeBackground {
  continued = 0;
  still: (count: number) => void = () => undefined;

  freeze(): Promise<number> {
    return new Promise((resolve) => (this.still = resolve));
  }

  continue(): void {
    this.continued += 1;
  }
}

describe('a standstill', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('that is ended while processes are still being stopped lets go on what is stopped afterwards, too', async () => {
    const background = new FakeBackground();
    const it = new Standstill(background, () => undefined);
    const begun = it.begin();
    it.end();
    expect(background.continued).toBe(1);
    background.still(3);
    expect(await begun).toBe(3);
    expect(background.continued).toBe(2);
  });

  it('in which nobody takes a snapshot is told so after its time, and not while one is under way, nor after its end', () => {
    const unused = jest.fn();
    const it = new Standstill(new FakeBackground(), unused, 1_000);
    void it.begin();
    it.hold();
    jest.advanceTimersByTime(5_000);
    expect(unused).not.toHaveBeenCalled();
    it.release();
    jest.advanceTimersByTime(1_000);
    expect(unused).toHaveBeenCalledTimes(1);
    it.end();
    it.release();
    jest.advanceTimersByTime(5_000);
    expect(unused).toHaveBeenCalledTimes(1);
  });
});
