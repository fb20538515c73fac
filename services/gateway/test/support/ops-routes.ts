import {
  ControlReplay,
  DiscardDeadLetter,
  DiscardDeadLetters,
  EditDeadLetter,
  EXAMPLE,
  GetDeadLetter,
  GetReplay,
  ListDeadLetterGroups,
  ListDeadLetters,
  ListReplays,
  type MessageClass,
  ReplayDeadLetter,
  ReplayDeadLetters,
  StopWithoutSnapshot,
} from '@reprise/contracts';
import type { Route } from './routes';

const { dead_letter: dead_letter_id, replay: replay_id, workspace: workspace_id } = EXAMPLE;
const LETTERS = '/v1/ops/dead-letters';
const LETTER = `${LETTERS}/${dead_letter_id}`;
const REPLAY = `${LETTERS}/replays/${replay_id}`;
const letter = { missing: 'dead_letter_not_found' };
const replay = { missing: 'replay_not_found' };

function route(line: string, status: number, message: MessageClass, data: object, more: Partial<Route> = {}): Route {
  const [method = '', path = ''] = line.split(' ');
  return { method, path, scope: method === 'GET' ? 'ops:read' : 'ops:write', adds: false, status, message, data, ...more };
}

/** The routes of operators. Dead letters are of no tenant: their messages have no caller. */
export const OPS_ROUTES: readonly Route[] = [
  route(`GET ${LETTERS}`, 200, ListDeadLetters, { limit: 50, filter: {} }),
  route(`GET ${LETTERS}/groups`, 200, ListDeadLetterGroups, { limit: 50, filter: {} }),
  route(`GET ${LETTER}`, 200, GetDeadLetter, { dead_letter_id }, letter),
  route(`POST ${LETTER}/replay`, 202, ReplayDeadLetter, { dead_letter_id }, letter),
  route(`POST ${LETTER}/discard`, 200, DiscardDeadLetter, { dead_letter_id, reason: 'x' }, { ...letter, body: { reason: 'x' } }),
  route(
    `POST ${LETTER}/edit`,
    202,
    EditDeadLetter,
    { dead_letter_id, data: { a: 1 }, reason: 'x' },
    { ...letter, body: { data: { a: 1 }, reason: 'x' } },
  ),
  route(
    `POST ${LETTERS}/discard`,
    200,
    DiscardDeadLetters,
    { filter: { type: 't' }, reason: 'x' },
    { body: { filter: { type: 't' }, reason: 'x' } },
  ),
  route(
    `POST ${LETTERS}/replays`,
    202,
    ReplayDeadLetters,
    { filter: { group: 'g', reason: 'invalid' }, rate_per_second: 5 },
    { body: { filter: { group: 'g', reason: 'invalid' }, rate_per_second: 5 } },
  ),
  route(`GET ${LETTERS}/replays`, 200, ListReplays, { limit: 50 }),
  route(`GET ${REPLAY}`, 200, GetReplay, { replay_id }, replay),
  ...(['pause', 'resume', 'cancel'] as const).map((action) =>
    route(`POST ${REPLAY}/${action}`, 200, ControlReplay, { replay_id, action }, replay),
  ),
  route(
    `POST /v1/ops/workspaces/${workspace_id}/stop`,
    202,
    StopWithoutSnapshot,
    { workspace_id, reason: 'x', caller: { sub: 'alice', own_only: false } },
    { body: { reason: 'x' }, missing: 'workspace_not_found' },
  ),
];
