import { Logger } from '@nestjs/common';
import { LabelLimit } from './label-limit';
import { counter, gauge } from './metric-spec';
import { Metrics } from './metrics';

const DONE = counter('things_done_total', 'Things that were done.', ['how']);
const WAITING = gauge('things_waiting', 'Things that wait.');
const BY_STATE = gauge('things', 'Things by state.', ['state']);

describe('the metrics of an application', () => {
  it('are its own, whatever another application in the same process counts', async () => {
    const [one, other] = [new Metrics(), new Metrics()];
    one.counter(DONE).inc({ how: 'well' });
    one.counter(DONE).inc({ how: 'well' });
    other.counter(DONE).inc({ how: 'well' });
    expect(await one.text()).toContain('things_done_total{how="well"} 2');
    expect(await other.text()).toContain('things_done_total{how="well"} 1');
  });

  it('say what they mean, also before anything was counted', async () => {
    const metrics = new Metrics();
    metrics.counter(DONE);
    expect(await metrics.text()).toContain('# HELP things_done_total Things that were done.\n# TYPE things_done_total counter');
  });
});

describe('a figure that is asked for at the scrape', () => {
  beforeAll(() => Logger.overrideLogger(false));
  const sampled = (read: () => Promise<number>, more: { everyMs?: number; limitMs?: number } = {}) => {
    const metrics = new Metrics();
    const show = (value: number): void => {
      metrics.gauge(WAITING).set(value);
      metrics.gauge(BY_STATE).set({ state: `s${value}` }, value);
    };
    metrics.sample([WAITING, BY_STATE], { source: 'things', read, show, ...more });
    return metrics;
  };

  it('is told with the word that its source answers', async () => {
    const text = await sampled(() => Promise.resolve(7)).text();
    expect(text).toContain('things_waiting 7');
    expect(text).toContain('things{state="s7"} 7');
    expect(text).toContain('metrics_source_up{source="things"} 1');
  });

  it('is left out while its source fails, and nothing else with it', async () => {
    let answer = (): Promise<number> => Promise.resolve(7);
    const metrics = sampled(() => answer(), { everyMs: 0 });
    metrics.counter(DONE).inc({ how: 'well' });
    await metrics.text();
    answer = () => {
      throw new Error('away');
    };
    const text = await metrics.text();
    expect(text).not.toMatch(/^things(_waiting|\{)/m);
    expect(text).toContain('metrics_source_up{source="things"} 0');
    expect(text).toContain('things_done_total{how="well"} 1');
    answer = () => Promise.resolve(8);
    expect(await metrics.text()).toContain('things_waiting 8');
  });

  it('is never 0 because nobody has asked for it yet', async () => {
    expect(await sampled(() => new Promise(() => undefined), { limitMs: 5 }).text()).not.toMatch(/^things_waiting/m);
  });

  it('keeps no scrape waiting when its source hangs, and the source is asked once', async () => {
    const read = jest.fn(() => new Promise<number>(() => undefined));
    const metrics = sampled(read, { limitMs: 20, everyMs: 0 });
    // Neither would come back.
    await metrics.text();
    await metrics.text();
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is asked for once in its time, however often it is scraped', async () => {
    const read = jest.fn(() => Promise.resolve(7));
    const metrics = sampled(read, { everyMs: 60_000 });
    await Promise.all([metrics.text(), metrics.text()]);
    expect(await metrics.text()).toContain('things_waiting 7');
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('that no longer has one of its values does not tell the old one', async () => {
    let value = 1;
    const metrics = sampled(() => Promise.resolve(value), { everyMs: 0 });
    await metrics.text();
    value = 2;
    expect(await metrics.text()).not.toContain('state="s1"');
  });
});

it('a label whose values come from outside has no more of them than it may', () => {
  const limit = new LabelLimit(2);
  expect(['a', 'b', 'a', 'c', 'd', 'b'].map((value) => limit.of(value))).toEqual(['a', 'b', 'a', 'other', 'other', 'b']);
});
