import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';
import { Agent } from './agent';
import { ConfigError, readConfig, type AgentConfig } from './config';
import { Directory } from './files/directory';
import { fromText } from './files/raw-path';
import { writeAtomically } from './files/write-atomically';
import { authorizeBy } from './http/auth';
import { routes } from './http/routes';
import { endWhenIdle } from './http/end-when-idle';
import { createAgentServer } from './http/server';
import { log, messageOf } from './log';
import { Reporter } from './reporting/reporter';
import { prepareWorkspace } from './restore/restore';

/** Whoever salvages comes back within a step's time; an agent that nobody needs any more must not stay. It is started again where it is missed. */
const SALVAGE_IDLE_MS = 300_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  if (config.mode === 'pod') mkdirSync(config.workspaceDir, { recursive: true });
  // Held for good: wherever a task may put it, this is the workspace. What is salvaged is what is there: one that is made would pass for an empty workspace.
  const workspace = Directory.open(config.workspaceDir);
  if (config.mode === 'pod') await prepareWorkspace(workspace);
  const agent = new Agent(config, workspace, new Reporter(config.gatewayUrl, config.token));
  const server = createAgentServer(routes(agent, config), authorizeBy(config));
  stopOnSignal(agent, server);
  if (config.mode === 'salvage') endWhenIdle(server, SALVAGE_IDLE_MS, () => process.exit(0));
  server.listen(config.port, config.host);
  await once(server, 'listening');
  await tellAddress(config, server);
}

async function tellAddress(config: AgentConfig, server: Server): Promise<void> {
  const { port } = server.address() as AddressInfo;
  if (config.addressFile) await writeAddress(config.addressFile, port);
  log('info', 'the agent listens', { workspace_id: config.workspaceId, generation: config.generation, port });
}

async function writeAddress(path: string, port: number): Promise<void> {
  const directory = Directory.open(dirname(path));
  try {
    await writeAtomically(directory, fromText(basename(path)), `${JSON.stringify({ pid: process.pid, port })}\n`);
  } finally {
    directory.close();
  }
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
