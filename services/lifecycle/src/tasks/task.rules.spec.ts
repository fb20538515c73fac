import { TASK_STATUSES } from '@reprise/contracts';
import { ENDED, afterFact, hasEnded } from './task.rules';

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
