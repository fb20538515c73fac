import { fitsVariable, type RefusalBody, refusal, type RoleRuntime } from '@reprise/contracts';

/** What a role may be and ask for, so that a pod can be made of it here. Pure. */

/** The most that this installation lets a role ask for. */
export interface RoleLimits {
  roleMaxCpus: number;
  roleMaxMemoryMb: number;
  roleMaxPids: number;
  roleMaxDiskMb: number;
  /** What the name of a role's image must begin with, one of them; any image where there is none. */
  roleImagePrefixes: readonly string[];
}

/** What of a role and its provider goes to a pod. */
export interface Runnable {
  role: { command: unknown; env: unknown; runtime: RoleRuntime };
  provider: { config: unknown };
}

/** Why a role may not ask for this; null where it may. */
export function beyondLimits(runtime: RoleRuntime, limits: RoleLimits): RefusalBody | null {
  const fields = tooMuch(runtime, limits);
  return Object.keys(fields).length === 0 ? null : refusal('validation_error', { fields });
}

/**
 * Why no pod can be made of a role as it is stored: it was made before a limit was lowered, or by a release that did not look. Asked before anything
 * is saved or torn down. Null where one can.
 */
export function notRunnable({ role, provider }: Runnable, limits: RoleLimits): RefusalBody | null {
  const fields = tooMuch(role.runtime, limits);
  for (const [name, value] of Object.entries({ command: role.command, env: role.env, 'provider.config': provider.config })) {
    if (!fitsVariable(value)) fields[name] = `${name} is too large for a pod to be started with`;
  }
  if (Object.keys(fields).length === 0) return null;
  return refusal(
    'validation_error',
    { fields },
    'No pod can be made of the role as it is; details.fields says why. Change the role first.',
  );
}

function tooMuch(runtime: RoleRuntime, limits: RoleLimits): Record<string, string> {
  const { image, cpus = 0, memory_mb = 0, pids = 0, disk_mb = 0 } = runtime;
  const fields: Record<string, string> = {};
  const check = (field: keyof RoleRuntime, asked: number, most: number): void => {
    if (asked > most) fields[`runtime.${field}`] = `${field} must not be greater than ${most} in this installation`;
  };
  check('cpus', cpus, limits.roleMaxCpus);
  check('memory_mb', memory_mb, limits.roleMaxMemoryMb);
  check('pids', pids, limits.roleMaxPids);
  check('disk_mb', disk_mb, limits.roleMaxDiskMb);
  const { roleImagePrefixes: prefixes } = limits;
  if (image !== undefined && prefixes.length > 0 && !prefixes.some((prefix) => isBelow(image, prefix)))
    fields['runtime.image'] = `image must begin with one of ${prefixes.join(', ')} in this installation`;
  return fields;
}

/** Whether the image's name begins with the prefix, and the prefix ends where a part of the name does: `a.example` is no prefix of `a.example.org/x`. */
function isBelow(image: string, prefix: string): boolean {
  return image.startsWith(prefix) && (prefix.endsWith('/') || ['', '/', ':', '@'].includes(image.charAt(prefix.length)));
}
