import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from './agent';
import { ConfigError, readConfig, type AgentConfig } from './config';
import { writeAtomically } from './files/write-atomically';
import { routes } from './http/routes';
import { createAgentServer } from './http/server';
import { log, messageOf } from './log';
import { Reporter } from './reporting/reporter';
import { prepareWorkspace } from './restore/restore';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  await prepareWorkspace(config.workspaceDir);
  const agent = new Agent(config, new Reporter(config.gatewayUrl, config.token));
  const server = createAgentServer(routes(agent, config), config.token);
  stopOnSignal(agent, server);
  server.listen(config.port, config.host);
  await once(server, 'listening');
  await tellAddress(config, server);
}

async function tellAddress(config: AgentConfig, server: Server): Promise<void> {
  const { port } = server.address() as AddressInfo;
  if (config.addressFile) await writeAtomically(config.addressFile, `${JSON.stringify({ pid: process.pid, port })}\n`);
  log('info', 'the agent listens', { workspace_id: config.workspaceId, generation: config.generation, port });
}

function stopOnSignal(agent: Agent, server: Server): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log('info', 'stopping', { signal });
    server.close();
    agent
      .shutDown()
      .catch((error: unknown) => log('error', 'did not stop cleanly', { error: messageOf(error) }))
      .finally(() => {
        server.closeAllConnections();
        process.exit(0);
      });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The pod lives on when whoever started it goes away, and with it a terminal or a reader of its log.
  process.on('SIGHUP', () => undefined);
  process.stdout.on('error', () => undefined);
}

main().catch((error: unknown) => {
  const lines = error instanceof ConfigError ? error.problems : [messageOf(error)];
  for (const line of lines) process.stderr.write(`reprise agent: ${line}\n`);
  process.exit(1);
});
