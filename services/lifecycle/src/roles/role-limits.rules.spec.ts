import type { RoleRuntime } from '@reprise/contracts';
import { beyondLimits, notRunnable, type RoleLimits } from './role-limits.rules';

const LIMITS: RoleLimits = { roleMaxCpus: 4, roleMaxMemoryMb: 2_048, roleMaxPids: 512, roleMaxDiskMb: 10_240, roleImagePrefixes: [] };
const fieldsOf = (runtime: RoleRuntime, limits: Partial<RoleLimits> = {}): unknown =>
  beyondLimits(runtime, { ...LIMITS, ...limits })?.details?.fields ?? {};

describe('what a role may ask for', () => {
  it('is anything up to the maxima, and what is left out is no request', () => {
    expect(beyondLimits({ cpus: 4, memory_mb: 2_048, pids: 512, disk_mb: 10_240, image: 'any/image' }, LIMITS)).toBeNull();
    expect(beyondLimits({}, LIMITS)).toBeNull();
  });

  it.each(['cpus', 'memory_mb', 'pids', 'disk_mb'] as const)('%s is not above its maximum', (field) => {
    expect(fieldsOf({ [field]: 1_000_000 })).toEqual({
      [`runtime.${field}`]: expect.stringMatching(new RegExp(`^${field} must not be greater`)),
    });
  });

  it.each([
    ['registry.example/team/', 'registry.example/team/image:1', true],
    ['registry.example/team', 'registry.example/team/image', true],
    ['registry.example/team/image', 'registry.example/team/image:1', true],
    ['registry.example/team/image', 'registry.example/team/image@sha256:0', true],
    ['registry.example', 'registry.example.org/image', false],
    ['registry.example', 'registry.example-evil/image', false],
    ['registry.example/team', 'registry.example/teams/image', false],
    ['registry.example/team/', 'debian', false],
  ])('with the prefix %s the image %s: %p', (prefix, image, allowed) => {
    expect(Object.keys(fieldsOf({ image }, { roleImagePrefixes: ['other/', prefix] }) as object)).toEqual(allowed ? [] : ['runtime.image']);
  });
});

describe('a role that is stored', () => {
  const runnable = (over: object = {}, config: object = {}) => ({
    role: { command: ['cat'], env: {}, runtime: {}, ...over },
    provider: { config },
  });
  const large = { A: 'x'.repeat(128 * 1024) };

  it.each([
    ['command', runnable({ command: ['x'.repeat(128 * 1024)] })],
    ['env', runnable({ env: large })],
    ['provider.config', runnable({}, large)],
    ['runtime.cpus', runnable({ runtime: { cpus: 5 } })],
  ])('makes no pod where its %s is too much', (field, role) => {
    expect(notRunnable(role, LIMITS)).toMatchObject({ code: 'validation_error', details: { fields: { [field]: expect.any(String) } } });
  });

  it('makes one where nothing is', () => {
    expect(notRunnable(runnable({ env: { A: 'x'.repeat(100_000) } }), LIMITS)).toBeNull();
  });
});
