import { type Scope, SCOPES } from '@reprise/contracts';

/** A scope as a route names it: without `:own`. */
export type RouteScope = Exclude<Scope, `${string}:own`>;

/** How far a caller reaches: everything of the org, or only what the caller created. */
export type Reach = 'all' | 'own';

/** The scopes of which any one opens the route: the unscoped form and, where there is one, its `:own`. */
export function requiredScopes(scope: RouteScope): Scope[] {
  return SCOPES.filter((each) => each === scope || each === `${scope}:own`);
}

/** How far these permissions reach on a route of this scope; null where they do not open it. The unscoped form wins where both are held. */
export function reachOf(scope: RouteScope, permissions: readonly string[]): Reach | null {
  if (permissions.includes(scope)) return 'all';
  return requiredScopes(scope).some((each) => permissions.includes(each)) ? 'own' : null;
}
