/** Programs that are put into pods in the agent's place, to see what a driver makes of them. JavaScript without dependencies. */

/** Ends before it listens, and says why. */
export const DIES_AT_START = 'console.error("the reason why"); process.exit(3);';

/** Lives, heeds no signal that can be ignored, and never listens. */
export const NEVER_LISTENS = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);';

/** Listens and answers health, and heeds no signal that can be ignored. */
export const HEEDS_NO_SIGNAL = `
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
  const { env, pid } = process;
  const { renameSync, writeFileSync } = require('node:fs');
  const health = { status: 'starting', workspace_id: env.REPRISE_WORKSPACE_ID, generation: Number(env.REPRISE_GENERATION), task_id: null };
  const server = require('node:http').createServer((request, response) => response.end(JSON.stringify(health)));
  server.listen(Number(env.REPRISE_PORT), env.REPRISE_HOST, () => {
    if (!env.REPRISE_ADDRESS_FILE) return;
    writeFileSync(env.REPRISE_ADDRESS_FILE + '.new', JSON.stringify({ pid, port: server.address().port }));
    renameSync(env.REPRISE_ADDRESS_FILE + '.new', env.REPRISE_ADDRESS_FILE);
  });
`;
