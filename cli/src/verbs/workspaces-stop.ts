import { Command } from 'commander';
import { environmentOf } from '../environment';
import { EXIT, Failure } from '../failure';
import { OperatorApi } from '../rest/operator-api';
import { answer, type Terminal } from '../terminal';

interface Options {
  withoutSnapshot?: true;
  reason: string;
  json?: true;
  envFile?: string;
}

interface Stopping {
  status: 'stopping';
  operation_id: string;
}

/** `reprise workspaces stop`. */
export function workspacesStopVerb(terminal: Terminal): Command {
  return new Command('stop')
    .description('Stop a workspace whose state cannot be saved. What it holds since its last snapshot is discarded.')
    .argument('<workspace>', 'the workspace, of any tenant')
    .option('--without-snapshot', 'discard what it holds since its last snapshot; needed, so that nobody does it by mistake')
    .requiredOption('--reason <text>', "why; recorded for good, in the audit log of the workspace's tenant")
    .option('--json', 'print { status, operation_id } as JSON')
    .action(async (workspace: string, _, command: Command) => {
      const { withoutSnapshot, reason, json, envFile } = command.optsWithGlobals<Options>();
      if (!withoutSnapshot) {
        const message = 'say --without-snapshot to discard what the workspace holds; a stop that saves it is POST /v1/workspaces/{id}/stop';
        throw new Failure(message, EXIT.usage);
      }
      const api = new OperatorApi(environmentOf(terminal, envFile), '/v1/ops/workspaces');
      const stopping = await api.post<Stopping>(`/${encodeURIComponent(workspace)}/stop`, { reason });
      answer(terminal, json === true, stopping, [`${workspace} is ${stopping.status}, by ${stopping.operation_id}`]);
    });
}
