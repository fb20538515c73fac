import { Command } from 'commander';
import type { DeadLettersOverview, OperationView } from '@reprise/contracts';
import { type Finding, findingLines } from '../doctor/finding';
import { findingsOf } from '../doctor/findings';
import { inspect } from '../doctor/inspect';
import { sawNothing } from '../doctor/inspection';
import { placeOf, Remedies } from '../doctor/remedies';
import { environmentOf } from '../environment';
import { EXIT, Failure } from '../failure';
import type { QueueStatus } from '../status/queues';
import type { ServiceStatus } from '../status/services';
import { answer, table, type Terminal } from '../terminal';

/** What could not be asked is null, with the reason among the findings. */
interface Status {
  ok: boolean;
  findings: Finding[];
  services: ServiceStatus[];
  queues: QueueStatus[] | null;
  dead_letters: Pick<DeadLettersOverview, 'waiting' | 'groups'> | null;
  workspaces: Record<string, number> | null;
  operations_in_flight: OperationView[] | null;
}

const EXIT_CODES = 'Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage, 3 nothing of the instance answers.';

/** `reprise status`: what goes on, and whether all is well by what `reprise doctor` looks at. */
export function statusVerb(terminal: Terminal): Command {
  return new Command('status')
    .description('Show the services, the queues, the dead letters and the operations in flight, and what is wrong.')
    .option('--json', 'print { ok, findings, services, queues, dead_letters, workspaces, operations_in_flight } as JSON')
    .addHelpText('after', `\n${EXIT_CODES}`)
    .action(async (_, command: Command) => {
      const { json, envFile } = command.optsWithGlobals<{ json?: true; envFile?: string }>();
      const environment = environmentOf(terminal, envFile);
      const inspection = await inspect(environment, { operations: true });
      const findings = findingsOf(inspection, new Remedies(placeOf(environment)), Date.now());
      const { services, queues, deadletters, lifecycle, operationsInFlight } = inspection;
      const status: Status = {
        ok: findings.length === 0,
        findings,
        services,
        queues,
        dead_letters: deadletters && { waiting: deadletters.value.waiting, groups: deadletters.value.groups },
        workspaces: lifecycle?.value.workspaces ?? null,
        operations_in_flight: operationsInFlight,
      };
      answer(terminal, json === true, status, lines(status));
      if (sawNothing(inspection)) throw new Failure('nothing of the instance answers', EXIT.unreachable);
      if (!status.ok) throw new Failure(findings.map(({ what }) => what).join('; '));
    });
}

function lines({ findings, services, queues, dead_letters: letters, operations_in_flight: operations }: Status): string[] {
  const parts = [
    services.length > 0 ? serviceLines(services) : [],
    queues
      ? table(
          ['QUEUE', 'DEPTH', 'CONSUMERS', 'RETRYING', 'DEAD'],
          queues.map((q) => [q.name, q.exists ? String(q.depth) : 'missing', ...[q.consumers, q.retrying, q.dead].map(String)]),
        )
      : [],
    letters && letters.waiting.count > 0 ? [`${letters.waiting.count} dead letters wait, of ${letters.groups.count} kinds.`] : [],
    operations ? operationLines(operations) : [],
    findingLines(findings),
  ];
  return parts.filter((part) => part.length > 0).flatMap((part, index) => (index === 0 ? part : ['', ...part]));
}

/** Process ids and restarts where `npm start` knows them. */
function serviceLines(services: ServiceStatus[]): string[] {
  const counted = services.some(({ restarts }) => restarts !== null);
  const processOf = ({ pid, restarts }: ServiceStatus): string[] => (counted ? [String(pid ?? '-'), String(restarts ?? '-')] : []);
  return table(
    ['SERVICE', 'STATUS', ...(counted ? ['PID', 'RESTARTS'] : []), ''],
    services.map((s) => [s.name, s.status, ...processOf(s), s.detail ?? '']),
  );
}

function operationLines(operations: OperationView[]): string[] {
  if (operations.length === 0) return ['No operation is in flight.'];
  const rows = operations.map((o) => [o.id, o.kind, o.workspace_id, o.phases.at(-1)?.name ?? '-', o.created_at]);
  return table(['OPERATION', 'KIND', 'WORKSPACE', 'PHASE', 'SINCE'], rows);
}
