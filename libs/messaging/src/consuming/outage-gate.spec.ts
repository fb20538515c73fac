import { Logger } from '@nestjs/common';
import { OutageGate } from './outage-gate';

Logger.overrideLogger(false);

describe('the outage gate', () => {
  it('lets all that wait go on together, when one probe says so', async () => {
    const probe = jest.fn().mockRejectedValueOnce(new Error('still away')).mockResolvedValue(undefined);
    const gate = new OutageGate({ probe });
    const error = new Error('away');
    await Promise.all(Array.from({ length: 50 }, () => gate.wait(error, new AbortController().signal)));
    expect(probe).toHaveBeenCalledTimes(2);
    expect(gate.closed).toBe(false);
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
