import { TASK_STATUSES, type TaskStatus } from '@reprise/contracts';
import { ENDED, afterFact, attentionTo, endOfReport, hasEnded } from './task.rules';

const FACTS = ['delivered', 'running', 'completed', 'failed', 'cancelled', 'delivery_failed'] as const;

describe('the life of a task', () => {
  it.each(TASK_STATUSES.filter(hasEnded))('%s is an end: no fact changes it', (status) => {
    for (const fact of FACTS) expect(afterFact(status, fact)).toBeNull();
  });

  it('goes forward only', () => {
    expect(afterFact('submitted', 'delivered')).toBe('delivered');
    expect(afterFact('submitted', 'running')).toBe('running');
    expect(afterFact('running', 'delivered')).toBeNull();
    expect(afterFact('delivered', 'delivered')).toBeNull();
  });

  it('a task that runs was delivered, whatever a late message says', () => {
    expect(afterFact('submitted', 'delivery_failed')).toBe('delivery_failed');
    expect(afterFact('running', 'delivery_failed')).toBeNull();
  });

  it.each(['submitted', 'delivered', 'running'] as const)('%s can end in every way that an agent may report', (status) => {
    for (const end of ENDED.filter((e) => e !== 'delivery_failed')) expect(afterFact(status, end as 'completed')).toBe(end);
  });
});

describe('what a task needs by now', () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 10, 2, 9) + seconds * 1000);
  const task = { status: 'submitted' as TaskStatus, deadline_at: at(600), resend_at: at(30) as Date | null, interrupts: 0 };

  it.each([
    ['submitted for a moment', {}, 29, null],
    ['submitted and not delivered', {}, 30, 'resend'],
    ['delivered', { status: 'delivered' as const }, 599, null],
    ['past its deadline', { status: 'running' as const }, 600, 'interrupt'],
    ['interrupted once', { status: 'running' as const, interrupts: 1 }, 600, 'interrupt'],
    ['interrupted twice', { status: 'running' as const, interrupts: 2 }, 600, 'end'],
    ['never delivered, interrupted twice', { interrupts: 2 }, 600, 'end'],
    ['ended', { status: 'completed' as const, interrupts: 2 }, 9_999, null],
  ])('%s', (_, change, seconds, expected) => {
    expect(attentionTo({ ...task, ...change }, at(seconds))).toBe(expected);
  });
});

it('a task that its agent ends as told, for being past its time, has failed', () => {
  expect(endOfReport('cancelled', 'timeout')).toBe('failed');
  expect(endOfReport('cancelled', 'cancelled_by_user')).toBe('cancelled');
  expect(endOfReport('completed', undefined)).toBe('completed');
});
