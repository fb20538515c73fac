import { hasIdled } from './idle.rules';

const since = new Date('2026-11-02T09:00:00Z');
const later = (seconds: number) => new Date(since.getTime() + seconds * 1000);

it('a workspace has idled when its role’s time is over, not before', () => {
  const role = { idle_timeout_seconds: 60 };
  expect(hasIdled({ status: 'idle', idle_since: since }, role, later(59))).toBe(false);
  expect(hasIdled({ status: 'idle', idle_since: since }, role, later(60))).toBe(true);
});

it('a role without an idle timeout lets its workspaces idle for ever', () => {
  expect(hasIdled({ status: 'idle', idle_since: since }, { idle_timeout_seconds: 0 }, later(1e9))).toBe(false);
});

it('a workspace that is not idle has not idled', () => {
  expect(hasIdled({ status: 'busy', idle_since: null }, { idle_timeout_seconds: 1 }, later(60))).toBe(false);
});
