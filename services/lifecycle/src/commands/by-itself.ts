import type { Command, OnWorkspace } from './command';

/** A command that nobody sent. Its key is its message id: however many replicas have the same thought, it is carried out once. */
export function byItself(
  type: string,
  actor: string,
  key: string,
  { id, orgId }: { id: string; orgId: string },
  { postureChecked }: { postureChecked: boolean },
): Command<OnWorkspace> {
  return {
    id: key,
    type,
    consumer: `lifecycle.${actor.split(':')[1]}`,
    hash: Buffer.from(key),
    orgId,
    actor,
    correlationId: key,
    traceparent: undefined,
    wantsReply: true,
    postureChecked,
    barred: null,
    data: { workspace_id: id },
  };
}
