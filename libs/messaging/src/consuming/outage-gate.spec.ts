import { Logger } from '@nestjs/common';
import { MAX_OUTAGES_PER_DELIVERY, OutageGate } from './outage-gate';

Logger.overrideLogger(false);

describe('the outage gate', () => {
  it('lets all that wait go on together, when one probe says so', async () => {
    const probe = jest.fn().mockRejectedValueOnce(new Error('still away')).mockResolvedValue(undefined);
    const gate = new OutageGate({ probe });
    const error = new Error('away');
    await Promise.all(Array.from({ length: 50 }, () => gate.wait(error, new AbortController().signal)));
    expect(probe).toHaveBeenCalledTimes(2);
    expect(gate.outage).toBeUndefined();
  });

  it('says whether anything was away, and tells what until it is over', async () => {
    const probe = jest.fn().mockRejectedValueOnce(new Error('still away')).mockResolvedValue(undefined);
    const gate = new OutageGate({ probe, firstPauseMs: 1 });
    const { signal } = new AbortController();
    const error = new Error('away');
    const first = gate.wait(error, signal);
    while (!gate.outage) await new Promise((resolve) => setImmediate(resolve));
    expect(gate.outage).toBe(error);
    expect([await first, await gate.wait(error, signal), gate.outage]).toEqual([true, false, undefined]);
  });

  it('lets those who take messages rest when it lasts, once, and resume when it is over', async () => {
    let left = 20;
    const probe = () => (--left > 0 ? Promise.reject(new Error('away')) : Promise.resolve());
    const consumer = { rest: jest.fn(), resume: jest.fn() };
    const gate = new OutageGate({ probe, firstPauseMs: 1, maxPauseMs: 1, holdMs: 5 }, () => [consumer]);
    await gate.wait(new Error('away'), new AbortController().signal);
    expect([consumer.rest.mock.calls.length, consumer.resume.mock.calls.length]).toEqual([1, 1]);
  });

  it('counts against a delivery what fails although nothing is away, and each connection that it loses', () => {
    const lost = Object.assign(new Error('terminating connection'), { code: '57P01' });
    const full = Object.assign(new Error('too many connections'), { code: '53300' });
    const exhaustedBy = (error: Error, wasAway: boolean) => {
      const count = new OutageGate().newCount();
      for (let i = 0; i < MAX_OUTAGES_PER_DELIVERY; i++) count.met(error, wasAway);
      return count.isExhausted;
    };
    expect([exhaustedBy(full, false), exhaustedBy(full, true), exhaustedBy(lost, false), exhaustedBy(lost, true)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('ends at once when the service drains', async () => {
    const draining = new AbortController();
    const gate = new OutageGate({ probe: () => Promise.reject(new Error('away')) });
    const waiting = gate.wait(new Error('away'), draining.signal);
    draining.abort();
    await waiting;
  });

  it('knows a lost database by itself, and takes the host’s word instead where it has one', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    expect(new OutageGate().caused(refused)).toBe(true);
    expect(new OutageGate().caused(new Error('no such column'))).toBe(false);
    expect(new OutageGate({ isInfrastructureError: () => false }).caused(refused)).toBe(false);
  });
});
