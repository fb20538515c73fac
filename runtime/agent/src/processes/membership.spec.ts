import { readMembership } from './membership';

it.each([
  [undefined, { by: 'environment' }],
  ['cgroup:/sys/fs/cgroup/reprise/ws_1', { by: 'cgroup', directory: '/sys/fs/cgroup/reprise/ws_1' }],
])('%s tells how processes are told from others', (text, membership) => {
  const problems: string[] = [];
  expect(readMembership(text, problems)).toEqual(membership);
  expect(problems).toEqual([]);
});

it.each(['', 'all', 'cgroup:', 'cgroup:relative', 'namespace'])('%p is refused, also where it would take in the whole machine', (text) => {
  const problems: string[] = [];
  expect(readMembership(text, problems)).toEqual({ by: 'environment' });
  expect(problems).toHaveLength(1);
});

it('the user is refused to root: its processes are not the pod’s', () => {
  const problems: string[] = [];
  readMembership('user', problems);
  expect(problems).toHaveLength(process.getuid?.() === 0 ? 1 : 0);
});
