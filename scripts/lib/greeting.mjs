// @ts-check
import { relative } from 'node:path';
import { reprise } from './instance.mjs';

const PERMISSIONS = 'workspace:write,tasks:write,workspace:read,caps:write';

/**
 * What a start ends with: where everything is, what the services warned of, and lines to paste that do the main job.
 * @param {import('./state.mjs').State} state
 * @param {readonly string[]} warnings
 */
export async function greeting(state, warnings) {
  const url = state.get('GATEWAY_URL');
  const token = await reprise(state, ['token', '--org', 'acme', '--sub', 'alice', '--permissions', PERMISSIONS]);
  const logs = relative(process.cwd(), state.path('logs')) || '.';
  return `
  Gateway          ${url}
  API description  ${url}/docs
  Logs             ${logs}/<service>.log
  Settings         ${relative(process.cwd(), state.file)}  (secret)
  By messages      PUBLISHER_AMQP_URL in it; see docs/messages.md and examples/
${warnings.map((text) => `\n  ! ${text}\n`).join('')}
# To try it, paste all that follows: first a token (alice of acme, good for 12 hours) and some shorthands,

TOKEN=${token}
API=${url}/v1; AUTH="Authorization: Bearer $TOKEN"; JSON="Content-Type: application/json"
pick() { printf '%s' "$R" | grep -o "$1_[0-9][0-9a-z]*" | head -n 1; }
refused() { case $R in *'"error":{'*) echo "$R" ;; *) false ;; esac; }
ended() { refused || { curl -sS "$API/operations/$(pick op)?wait=30" -H "$AUTH"; echo; }; }
say() { R=$(curl -sS -X POST "$API/workspaces/$WS/tasks" -H "$AUTH" -H "$JSON" -d "{\\"description\\":\\"$1\\"}"); refused || { echo "$R"; curl -sS "$API/workspaces/$WS/tasks/$(pick task)?wait=30" -H "$AUTH"; echo; }; }

# then create a workspace, talk to it, restart it while it is busy, stop it, resume it, and hear what it remembers.

R=$(curl -sS -X POST "$API/workspaces" -H "$AUTH" -H "$JSON" -d '{"role_name":"demo"}'); WS=$(pick ws); ended
curl -sS -X POST "$API/workspaces/$WS/tasks" -H "$AUTH" -H "$JSON" -d '{"description":"My name is Alice. Now wait 60"}'; echo
R=$(curl -sS -X POST "$API/workspaces/$WS/restart?force=true" -H "$AUTH"); ended
R=$(curl -sS -X POST "$API/workspaces/$WS/stop" -H "$AUTH"); ended
R=$(curl -sS -X POST "$API/workspaces/$WS/resume" -H "$AUTH"); ended; say "Who am I?"
`;
}
