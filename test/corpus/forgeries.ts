import { DiscardDeadLetters, ReplayDeadLetters } from '../../libs/contracts/src/messages/dead-letters';
import { InterruptTask, RemovePod, RunTask } from '../../libs/contracts/src/messages/pod-commands';
import { PodJobFailed, PodLost, PodReady, PodStepChanged } from '../../libs/contracts/src/messages/pod-events';
import { CreateRole } from '../../libs/contracts/src/messages/role-commands';
import { ReportTask } from '../../libs/contracts/src/messages/task-commands';
import {
  type BadMessage,
  type Detour,
  type End,
  FORBIDDEN,
  INVALID,
  POSTURE,
  RESTART,
  type Sender,
  STOP,
  type Surroundings,
} from './bad-message';

interface Message {
  type: string;
  example: object;
}
type Fields = Record<string, unknown>;

const COMMANDS = 'reprise.commands';
const EVENTS = 'reprise.events';
const RETRY = 'reprise.retry';
const DEAD = 'reprise.dead';
const HIGHEST = 2 ** 31 - 1;
const UNKNOWN: End = { dead: 'unauthenticated' };
const IMPLAUSIBLE: End = { dead: 'implausible_generation' };
const BARRED: End = { barred: /ACCESS_REFUSED/ };
/** The header in which a service of ours says who sent a message first. */
const CLAIM = 'x-reprise-user-id';

/** A message about the idle workspace that, taken at its word, would do harm. */
function forged(
  name: string,
  as: Sender,
  { type, example }: Message,
  end: End,
  more: Partial<BadMessage> & { fields?: (around: Surroundings) => Fields } = {},
): BadMessage {
  const { fields = () => ({}), ...rest } = more;
  return {
    name: `${as}: ${name}`,
    as,
    type,
    exchange: COMMANDS,
    body: (around) => ({ ...example, ...('workspace_id' in example ? { workspace_id: around.workspace } : {}), ...fields(around) }),
    end,
    ...rest,
  };
}

const everything = { filter: { status: 'open' }, reason: 'forged' };
const brick = { fields: () => ({ generation: HIGHEST }) };
const stop: Message = { type: STOP, example: { workspace_id: '' } };
const restart: Message = { type: RESTART, example: { workspace_id: '', force: true } };
const posture: Message = { type: POSTURE, example: { org_id: '', posture: 'past_due' } };
/** Only dead-lettering makes the broker name another exchange and routing key than those that the message was published with. */
const DETOURS: readonly [Detour, End][] = [
  ['own queue', FORBIDDEN],
  ['alternate exchange', INVALID],
  ['own exchange', INVALID],
];
const by = (via: Detour, more: Partial<BadMessage> = {}): Partial<BadMessage> => ({ via, ...more });

/** What a login that was stolen, or a service gone wrong, could try in another's name. */
export const FORGERIES: readonly BadMessage[] = [
  // Past the permissions by what is the sender's own.
  ...DETOURS.flatMap(([via, end]) => [
    forged(`the removal of a pod by its ${via}`, 'publisher', RemovePod, end, { ...by(via), ...brick }),
    forged(`the end of a task by its ${via}`, 'publisher', ReportTask, end, by(via)),
    forged(`a discard of every dead letter by its ${via}`, 'publisher', DiscardDeadLetters, end, {
      ...by(via),
      fields: () => everything,
    }),
    forged(`a replay of dead letters by its ${via}`, 'lifecycle', ReplayDeadLetters, end, by(via)),
    forged(`a pod that is ready by its ${via}`, 'billing', PodReady, end, by(via, { exchange: EVENTS })),
    forged(`a posture by its ${via}`, 'gateway', posture, end, { ...by(via), fields: ({ org }) => ({ org_id: org }) }),
    forged(`a stop by its ${via}`, 'lifecycle', stop, end, by(via)),
  ]),
  forged('a role by its own queue', 'publisher', CreateRole, FORBIDDEN, by('own queue')),
  forged('a task for a pod by its own queue', 'gateway', RunTask, FORBIDDEN, by('own queue')),
  forged('a restart in a caller’s name by its own queue', 'lifecycle', restart, FORBIDDEN, {
    ...by('own queue'),
    fields: () => ({ caller: { sub: 'alice', own_only: false } }),
  }),

  // The same without a sender.
  forged('the removal of a pod by nobody', 'publisher', RemovePod, UNKNOWN, {
    ...by('own queue', { properties: { userId: undefined } }),
    ...brick,
  }),
  forged('the end of a task by nobody', 'publisher', ReportTask, UNKNOWN, by('own queue', { properties: { userId: undefined } })),
  forged('a discard by nobody', 'publisher', DiscardDeadLetters, UNKNOWN, {
    ...by('own queue', { properties: { userId: undefined } }),
    fields: () => everything,
  }),
  forged('a lost pod by nobody', 'provisioner', PodLost, UNKNOWN, { exchange: EVENTS, properties: { userId: undefined } }),

  // In the name of a service, by the header that only services believe, and only of each other.
  forged('the removal of a pod, as lifecycle by its word', 'publisher', RemovePod, FORBIDDEN, {
    ...by('own queue', { headers: { [CLAIM]: 'reprise_lifecycle' } }),
    ...brick,
  }),
  forged('a discard, as the gateway by its word', 'publisher', DiscardDeadLetters, FORBIDDEN, {
    ...by('own queue', { headers: { [CLAIM]: 'reprise_gateway' } }),
    fields: () => everything,
  }),
  forged('a stop, as nobody by its word', 'lifecycle', stop, { refused: 'unauthenticated' }, by('own queue', { headers: { [CLAIM]: '' } })),

  // Straight into a queue by its name, or by what only retries and replays come by.
  forged('a pod that is ready, straight into the queue', 'billing', PodReady, INVALID, { exchange: '', routingKey: 'lifecycle.events' }),
  forged('a lost pod, straight into the queue', 'billing', PodLost, INVALID, { exchange: '', routingKey: 'lifecycle.events' }),
  forged('a removal, straight into the queue', 'deadletters', RemovePod, INVALID, {
    exchange: '',
    routingKey: 'provisioner.commands',
    ...brick,
  }),
  forged('a pod that is ready, as a retry', 'billing', PodReady, INVALID, {
    ...by('own queue', { exchange: RETRY, routingKey: 'lifecycle.events', headers: { [CLAIM]: 'reprise_provisioner' } }),
  }),
  forged('a removal, as a retry', 'billing', RemovePod, INVALID, {
    ...by('alternate exchange', { exchange: RETRY, routingKey: 'provisioner.commands' }),
    ...brick,
  }),
  forged('a command to itself, into the queue of events', 'lifecycle', stop, INVALID, {
    ...by('own queue', { exchange: RETRY, routingKey: 'lifecycle.events' }),
  }),
  forged('a retry of another', 'billing', PodReady, BARRED, { exchange: RETRY, routingKey: 'lifecycle.events' }),
  forged('a dead letter of another', 'billing', PodReady, BARRED, { exchange: DEAD, routingKey: 'lifecycle.events' }),
  forged('a retry', 'publisher', stop, BARRED, { exchange: RETRY, routingKey: 'lifecycle.commands' }),
  forged('a command by the default exchange', 'publisher', stop, BARRED, { exchange: '', routingKey: 'lifecycle.commands' }),
  forged('a command that it may not send', 'billing', stop, BARRED),
  forged('an event that it may not send', 'billing', PodReady, BARRED, { exchange: EVENTS }),
  forged('an event that it may not send', 'publisher', PodReady, BARRED, { exchange: EVENTS }),

  // By more routing keys than the one that RabbitMQ 3 looks at; 4 looks at all.
  ...['CC', 'BCC'].map((header) =>
    forged(
      `the removal of a pod by a header ${header}`,
      'publisher',
      RemovePod,
      { dead: 'invalid|no_handler', orBarred: /ACCESS_REFUSED/ },
      {
        routingKey: STOP,
        headers: { [header]: [RemovePod.type] },
        ...brick,
      },
    ),
  ),
  ...['x-delay', 'x-match', 'x-received-from', 'x-routed-by', 'x-forwarding'].map((header) =>
    forged(`the removal of a pod with a header ${header}`, 'publisher', RemovePod, FORBIDDEN, {
      ...by('own queue', {
        headers: { [header]: header === 'x-delay' ? 1 : [{ exchange: COMMANDS, 'cluster-name': 'rabbit', redelivered: false }] },
      }),
      ...brick,
    }),
  ),

  // From whom it may come, of generations that there cannot be.
  forged('the removal of a pod of the last generation', 'lifecycle', RemovePod, IMPLAUSIBLE, brick),
  forged('the removal of a pod of a generation a thousand too high', 'lifecycle', RemovePod, IMPLAUSIBLE, {
    fields: ({ missing }) => ({ workspace_id: missing, generation: 1_001 }),
  }),
  forged('a task for a pod of the last generation', 'lifecycle', RunTask, IMPLAUSIBLE, { fields: () => ({ pod_generation: HIGHEST }) }),
  forged('the end of a task in a pod of the last generation', 'lifecycle', InterruptTask, IMPLAUSIBLE, {
    fields: () => ({ pod_generation: HIGHEST }),
  }),
  ...[PodReady, PodJobFailed].map((event) =>
    forged(`${event.type} of the last generation`, 'provisioner', event, IMPLAUSIBLE, {
      exchange: EVENTS,
      fields: ({ operation }) => ({ generation: HIGHEST, operation_id: operation }),
    }),
  ),
  forged('a step of the last generation', 'provisioner', PodStepChanged, IMPLAUSIBLE, {
    exchange: EVENTS,
    fields: ({ operation }) => ({ generation: HIGHEST, operation_id: operation, interrupted_task_id: null }),
  }),
  forged('a lost pod of the last generation', 'provisioner', PodLost, IMPLAUSIBLE, {
    exchange: EVENTS,
    fields: () => ({ pod_generation: HIGHEST }),
  }),
];
