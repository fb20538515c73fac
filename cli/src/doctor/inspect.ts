import {
  type BillingOverview,
  type DeadLettersOverview,
  GetBillingOverview,
  GetDeadLettersOverview,
  GetLifecycleOverview,
  GetProvisionerOverview,
  type LifecycleOverview,
  ListOperationsInFlight,
  type MessageClass,
  type OperationView,
  type ProvisionerOverview,
  QUEUE,
  ResendOperations,
} from '@reprise/contracts';
import { within } from '@reprise/platform/tools';
import { type BrokerAddress, brokerAddress } from '../broker/address';
import { type Ask, withRequests } from '../broker/requests';
import { databaseProblem } from '../database/reachable';
import type { Environment } from '../environment';
import { Failure, reasonOf, wrongUsage } from '../failure';
import { type QueueStatus, queueStatuses } from '../status/queues';
import { serviceStatuses } from '../status/services';
import type { Answered, Inspection } from './inspection';

export interface InspectOptions {
  /** Let the commands of operations in flight be sent again. */
  fix?: boolean;
  /** List the operations in flight. */
  operations?: boolean;
}

const LISTED = 100;
const LETTER_GROUPS = 5;
const MOST_OPERATIONS = 1_000;
const MOST_RESENT = 10_000;

/** Everything is asked side by side, and nothing is waited for longer than this: an instance that hangs is looked at in half a minute at most. */
const BROKER_MS = 12_000;
const QUERY_MS = 8_000;
const QUERIES_MS = 15_000;

type Asked = Omit<Inspection, 'services' | 'database' | 'broker' | 'queues'>;

/** Looks at an instance from all sides. Never fails for what it finds. @throws Failure where the settings do not say where to look */
export async function inspect(environment: Environment, options: InspectOptions = {}): Promise<Inspection> {
  const address = whereTo(environment);
  const [services, database, queues] = await Promise.all([
    serviceStatuses(environment),
    databaseProblem(environment),
    orProblem(within(BROKER_MS, queueStatuses(address)), 'the broker'),
  ]);
  const unanswered: Asked['unanswered'] = [];
  const nothing = {
    lifecycle: null,
    provisioner: null,
    billing: null,
    deadletters: null,
    resent: null,
    operationsInFlight: null,
    unanswered,
  };
  const found = { services, database: database === undefined ? null : { problem: database }, ...nothing };
  if ('problem' in queues) return { ...found, broker: queues, queues: null };
  const asked = await orProblem(
    within(
      QUERIES_MS,
      withRequests(environment, (ask) => askAll(ask, queues.value, options, unanswered), { deadlineMs: QUERY_MS }),
    ),
    'the broker',
  );
  const answers = 'problem' in asked ? {} : asked.value;
  return { ...found, broker: { problem: 'problem' in asked ? asked.problem : null }, queues: queues.value, ...answers };
}

async function askAll(ask: Ask, queues: QueueStatus[], options: InspectOptions, unanswered: Asked['unanswered']): Promise<Partial<Asked>> {
  /** Where nobody would answer, asking takes time and tells nothing new. */
  const unlessNobody = async <T>(queue: string, question: () => Promise<T>): Promise<T | null> => {
    if (!queues.some(({ name, consumers }) => name === queue && consumers > 0)) return null;
    const answer = await orProblem(question(), queue);
    if ('value' in answer) return answer.value;
    unanswered.push({ service: queue.split('.')[0] ?? queue, why: answer.problem });
    return null;
  };
  const overview = <T>(queue: string, query: MessageClass, data: object): Promise<Answered<T> | null> =>
    unlessNobody(queue, async () => {
      const from = Date.now();
      const value = await ask<T>(query, data);
      return { value, from, to: Date.now() };
    });
  const [lifecycle, provisioner, billing, deadletters, operations, resent] = await Promise.all([
    overview<LifecycleOverview>(QUEUE.lifecycleQueries, GetLifecycleOverview, { limit: LISTED }),
    overview<ProvisionerOverview>(QUEUE.provisionerQueries, GetProvisionerOverview, { limit: LISTED }),
    overview<BillingOverview>(QUEUE.billingQueries, GetBillingOverview, { limit: LISTED }),
    overview<DeadLettersOverview>(QUEUE.deadlettersQueries, GetDeadLettersOverview, { limit: LETTER_GROUPS }),
    options.operations === true
      ? unlessNobody(QUEUE.lifecycleQueries, () => ask<{ operations: OperationView[] }>(ListOperationsInFlight, { limit: MOST_OPERATIONS }))
      : null,
    options.fix === true
      ? unlessNobody(QUEUE.lifecycleCommands, () => ask<{ operations: number }>(ResendOperations, { limit: MOST_RESENT }))
      : null,
  ]);
  return {
    lifecycle,
    provisioner,
    billing,
    deadletters,
    operationsInFlight: operations?.operations ?? null,
    resent: resent?.operations ?? null,
  };
}

/** An instance that is not configured here is no finding about it. */
function whereTo(environment: Environment): BrokerAddress {
  try {
    return brokerAddress(environment);
  } catch (error) {
    throw error instanceof Failure ? wrongUsage(error.message) : error;
  }
}

async function orProblem<T>(work: Promise<T>, who: string): Promise<{ value: T } | { problem: string }> {
  try {
    return { value: await work };
  } catch (error) {
    return { problem: error instanceof Failure ? error.message : `${who} does not answer: ${reasonOf(error)}` };
  }
}
