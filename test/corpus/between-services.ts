import { CreatePod, RemovePod, ReplacePod } from '../../libs/contracts/src/messages/pod-commands';
import { PodReady, PodStepChanged } from '../../libs/contracts/src/messages/pod-events';
import { type BadMessage, type End, INVALID, type Surroundings, UNPARSEABLE } from './bad-message';

type Fields = (around: Surroundings) => Record<string, unknown>;

const command = (name: string, message: { type: string; example: object }, over: Fields, end: End = INVALID): BadMessage => ({
  name: `to the provisioner: ${name}`,
  as: 'lifecycle',
  type: message.type,
  body: (around) => ({ ...message.example, workspace_id: around.missing, ...over(around) }),
  end,
});
const event = (name: string, message: { type: string; example: object }, over: Fields, end: End = INVALID): BadMessage => ({
  name: `to lifecycle: ${name}`,
  as: 'provisioner',
  type: message.type,
  body: (around) => ({ ...message.example, workspace_id: around.workspace, ...over(around) }),
  end,
});

/** What Reprise's own services would send each other if one of them had gone wrong. */
export const BETWEEN_SERVICES: readonly BadMessage[] = [
  { name: 'to the provisioner: no JSON', as: 'lifecycle', type: CreatePod.type, body: Buffer.from('pod!'), end: UNPARSEABLE },
  command('generation nought', CreatePod, () => ({ generation: 0 })),
  command('a generation that no column holds', CreatePod, () => ({ generation: 2 ** 31 })),
  command('a generation that no integer holds', CreatePod, () => ({ generation: 1e21 })),
  command('a generation and a half', CreatePod, () => ({ generation: 1.5 })),
  command('a deadline in a week', CreatePod, () => ({ deadline_at: '2026-W05' })),
  command('no role', CreatePod, () => ({ spec: null })),
  command('a role that is a list', CreatePod, () => ({ spec: [] })),
  command('a snapshot that is a path', CreatePod, () => ({ snapshot_id: '../../etc/passwd' })),
  command('a field of the future', CreatePod, () => ({ gpu: true })),
  command('a stale generation', RemovePod, ({ workspace }) => ({ workspace_id: workspace, generation: 1, pod_generation: 1 }), 'nothing'),
  command('a stale restart', ReplacePod, ({ workspace }) => ({ workspace_id: workspace, generation: 1, pod_generation: 1 }), 'nothing'),
  { name: 'to lifecycle: an event that is no JSON', as: 'provisioner', type: PodReady.type, body: Buffer.from('\0'), end: UNPARSEABLE },
  event('a generation that no column holds', PodReady, () => ({ generation: 2 ** 31 })),
  event('an operation that is a workspace', PodReady, ({ workspace }) => ({ operation_id: workspace })),
  event('a step that there is not', PodStepChanged, () => ({ step: 'dance' })),
  event('a next step that there is not', PodStepChanged, () => ({ next: { step: 'dance', attempt: 1 } })),
  event('a next step that is none', PodStepChanged, () => ({ next: 'snapshot' })),
  event('a step at no time', PodStepChanged, () => ({ at: 'noon' })),
  event('a step without end', PodStepChanged, () => ({ detail: 'x'.repeat(100_000) })),
  event('a pod of an operation that there never was', PodReady, () => ({}), 'nothing'),
  event('a pod of a workspace that does not exist', PodReady, ({ missing }) => ({ workspace_id: missing }), 'nothing'),
  event('a step of a stale generation', PodStepChanged, () => ({ generation: 1 }), 'nothing'),
  event('fields of the future, and nothing else that is news', PodStepChanged, () => ({ generation: 1, mood: 'fine' }), 'nothing'),
];
