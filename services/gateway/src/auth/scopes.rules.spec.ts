import { reachOf, requiredScopes } from './scopes.rules';

describe('scopes', () => {
  it('name every scope of which any one would do', () => {
    expect(requiredScopes('workspace:write')).toEqual(['workspace:write', 'workspace:write:own']);
    expect(requiredScopes('caps:write')).toEqual(['caps:write']);
  });

  it.each([
    ['workspace:read', ['workspace:read'], 'all'],
    ['workspace:read', ['workspace:read:own'], 'own'],
    ['workspace:read', ['workspace:read:own', 'workspace:read'], 'all'],
    ['workspace:read', ['workspace:write', 'tasks:write', 'ops:read'], null],
    ['tasks:write', ['tasks:write:own'], 'own'],
    ['caps:write', ['caps:write:own', 'caps:read'], null],
    ['caps:write', [], null],
    ['workspace:write', ['workspace:writ', 'workspace:*', 'WORKSPACE:WRITE'], null],
  ] as const)('%s with %j reaches %s', (scope, permissions, reach) => {
    expect(reachOf(scope, permissions)).toBe(reach);
  });
});
