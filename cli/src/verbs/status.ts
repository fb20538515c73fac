import { Command } from 'commander';
import { ListOperationsInFlight, type OperationView, QUEUE } from '@reprise/contracts';
import { brokerAddress } from '../broker/address';
import { withRequests } from '../broker/requests';
import { type Environment, environmentOf } from '../environment';
import { Failure } from '../failure';
import { type QueueStatus, queueStatuses } from '../status/queues';
import { type ServiceStatus, serviceStatuses } from '../status/services';
import { answer, table, type Terminal } from '../terminal';

/** What could not be asked is null, with the reason among the problems. */
interface Status {
  ok: boolean;
  problems: string[];
  services: ServiceStatus[];
  queues: QueueStatus[] | null;
  operations_in_flight: OperationView[] | null;
}

const MOST = 1000;
const SHORT_MS = 3_000;

/** `reprise status`: whether all is well, and what is going on. Exit code 1 where something is down. */
export function statusVerb(terminal: Terminal): Command {
  return new Command('status')
    .description('Show the services, the queues and the operations in flight.')
    .option('--json', 'print { ok, problems, services, queues, operations_in_flight } as JSON')
    .action(async (_, command: Command) => {
      const { json, envFile } = command.optsWithGlobals<{ json?: true; envFile?: string }>();
      const status = await statusOf(environmentOf(terminal, envFile));
      answer(terminal, json === true, status, lines(status));
      if (!status.ok) throw new Failure(status.problems.join('; '));
    });
}

async function statusOf(environment: Environment): Promise<Status> {
  const problems: string[] = [];
  const orProblem = (error: unknown): null => {
    if (!(error instanceof Failure)) throw error;
    problems.push(error.message);
    return null;
  };
  const [services, queues] = await Promise.all([serviceStatuses(environment), queueStatuses(brokerAddress(environment)).catch(orProblem)]);
  // Where nobody would answer, asking takes time and tells nothing new.
  const answerable = queues?.some(({ name, consumers }) => name === QUEUE.lifecycleQueries && consumers > 0);
  const inFlight = answerable ? await operationsInFlight(environment).catch(orProblem) : null;
  for (const { name, status } of services) if (status !== 'up') problems.push(`${name} is ${status}`);
  for (const { name, exists, consumers } of queues ?? []) {
    if (!exists) problems.push(`the queue ${name} does not exist`);
    else if (consumers === 0) problems.push(`nobody consumes ${name}`);
  }
  return { ok: problems.length === 0, problems, services, queues, operations_in_flight: inFlight };
}

async function operationsInFlight(environment: Environment): Promise<OperationView[]> {
  const query = { limit: MOST };
  const { operations } = await withRequests(
    environment,
    (ask) => ask<{ operations: OperationView[] }>(ListOperationsInFlight, query),
    SHORT_MS,
  );
  return operations;
}

function lines({ services, queues, operations_in_flight: operations }: Status): string[] {
  const parts = [
    services.length > 0
      ? table(
          ['SERVICE', 'STATUS', ''],
          services.map((s) => [s.name, s.status, s.detail ?? '']),
        )
      : [],
    queues
      ? table(
          ['QUEUE', 'DEPTH', 'CONSUMERS', 'RETRYING', 'DEAD'],
          queues.map((q) => [q.name, q.exists ? String(q.depth) : 'missing', ...[q.consumers, q.retrying, q.dead].map(String)]),
        )
      : [],
    operations ? operationLines(operations) : [],
  ];
  return parts.filter((part) => part.length > 0).flatMap((part, index) => (index === 0 ? part : ['', ...part]));
}

function operationLines(operations: OperationView[]): string[] {
  if (operations.length === 0) return ['No operation is in flight.'];
  const rows = operations.map((o) => [o.id, o.kind, o.workspace_id, o.phases.at(-1)?.name ?? '-', o.created_at]);
  return table(['OPERATION', 'KIND', 'WORKSPACE', 'PHASE', 'SINCE'], rows);
}
