/**
 * How to write a scenario: a file `NN-what-it-is-about.scenario.ts`, imported by one of the `.e2e.spec.ts` whose scenarios share a Reprise, or one
 * of its own, `NN-what-it-is-about.e2e.spec.ts`, where it needs settings or leaves traces, with
 *
 *     const stack = useStack();                                      // a whole Reprise for this file: real processes, a database of its own
 *
 *     promise('a restart keeps the files', async () => {             // named as the promise that it keeps
 *       const { alice } = await stack.tenant();                      // a tenant of its own, so that no scenario meets another's
 *       const { id } = await alice.workspace();                      // idle, of a role whose tasks are shell scripts
 *       fill(stack.pod(id).files);                                   // reality is looked at from outside: processes, files, rows
 *       const before = treeOf(stack.pod(id).files);
 *       await alice.restart(id);                                     // verbs expect to succeed; alice.post(…) takes any answer
 *       expect(treeOf(stack.pod(id).files)).toEqual(before);
 *     });
 *
 * Wait with `eventually` or with the API's own `wait`, never for a time. What must be refused: `expectRefusal(answer, code, details)`. To take a
 * service away: `stack.service('billing').kill()`, then `.start()` before the scenario ends, for those after it. Where a promise is
 * broken, the ends of all logs are printed and the stack's folder is kept.
 */
export * from './caller';
export * from './command-line';
export * from './eventually';
export * from './files';
export type { Answer } from './http';
export * from './refusal';
export * from './stack';
export { processesOf } from './pods';
export { ROOT, SERVICES, type ServiceName } from './settings';
export { ALL_SCOPES, newKeys } from './tokens';
export * from './promise';
export { Tenant } from './tenant';
export * from './tracing/span-tree';
export * from './tracing/trace-collector';
