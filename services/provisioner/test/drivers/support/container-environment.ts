import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Container } from '@kubernetes/client-node' with { 'resolution-mode': 'import' };
import type { KubeSecret } from '../../../src/pods/kubernetes/kube-objects';

/** What an image of a Linux distribution says of its environment. */
const OF_THE_IMAGE = { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8' };

/**
 * The environment of a container as the kubelet makes it: with the values of secrets and fields, and `$(NAME)` and `$$` expanded. The place of the
 * workspace is another one here, as there is no file system of its own.
 *
 * @param isWanted whether a Secret that is not there yet is still waited for; null once it is not
 */
export async function environmentOf(
  container: V1Container,
  here: { readonly podIP: string; readonly workspace: string },
  readSecret: (name: string) => Promise<KubeSecret | null>,
  isWanted: () => boolean,
): Promise<Record<string, string> | null> {
  const env: Record<string, string> = { ...OF_THE_IMAGE };
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom?.secretKeyRef) {
      const value = await secretValue(valueFrom.secretKeyRef as { name: string; key: string }, readSecret, isWanted);
      if (value === null) return null;
      env[name] = value;
    } else if (valueFrom?.fieldRef?.fieldPath === 'status.podIP') env[name] = here.podIP;
    else env[name] = expanded(value ?? '', env).replace(/^\/workspace$/, here.workspace);
  }
  return env;
}

async function secretValue(
  { name, key }: { name: string; key: string },
  read: (name: string) => Promise<KubeSecret | null>,
  isWanted: () => boolean,
): Promise<string | null> {
  // A pod whose Secret is not there yet waits for it, as long as it is there itself.
  while (isWanted()) {
    const secret = await read(name);
    if (secret?.data?.[key] !== undefined) return Buffer.from(secret.data[key], 'base64').toString();
    await sleep(20);
  }
  return null;
}

/** As k8s.io/kubernetes/third_party/forked/golang/expansion has it. */
export function expanded(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, what: string, name?: string) => (what === '$' ? '$' : (env[name ?? ''] ?? whole)));
}
