import { OperationKind, WORKSPACE_STATUSES } from '@reprise/contracts';
import * as fc from 'fast-check';
import { isCurrent, whenFailed, whenReady, whenRemoved } from '../operations/operation.rules';
import { WorkspaceCommand, WorkspaceState, decide } from './workspace.rules';

/**
 * A workspace under arbitrary commands and arbitrary facts of the provisioner, early, late and twice: the promises that no single row of the
 * table shows.
 */
interface Model extends WorkspaceState {
  generation: number;
  podGeneration: number | null;
  operation: { id: string; kind: OperationKind } | null;
  /** Everything that was ever accepted: facts are drawn from here, so that most are of the past. */
  accepted: { operation_id: string; generation: number; kind: OperationKind }[];
}

type Move = { command: WorkspaceCommand } | { fact: 'ready' | 'removed' | 'failed kept' | 'failed'; of: number } | { taskEnds: true };

const commands = fc.oneof(
  fc.boolean().map((force): WorkspaceCommand => ({ kind: 'restart', force })),
  fc.constantFrom('stop', 'resume', 'archive', 'unarchive', 'submit_task', 'cancel_task').map((kind): WorkspaceCommand => ({ kind })),
);

const moves = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: commands.map((command): Move => ({ command })) },
    {
      weight: 5,
      arbitrary: fc
        .tuple(fc.constantFrom('ready', 'removed', 'failed kept', 'failed'), fc.nat(3))
        .map(([fact, of]): Move => ({ fact, of })),
    },
    { weight: 2, arbitrary: fc.constant<Move>({ taskEnds: true }) },
  ),
  { maxLength: 60 },
);

function fresh(): Model {
  return {
    status: 'provisioning',
    archived: false,
    roleArchived: false,
    providerArchived: false,
    runningTaskId: null,
    generation: 1,
    podGeneration: null,
    operation: { id: 'op1', kind: 'create' },
    accepted: [{ operation_id: 'op1', generation: 1, kind: 'create' }],
  };
}

function step(model: Model, move: Move): Model {
  if ('command' in move) return applyCommand(model, move.command);
  if ('fact' in move) return applyFact(model, move.fact, move.of);
  return model.status === 'busy' ? { ...model, status: 'idle', runningTaskId: null } : model;
}

function applyCommand(model: Model, command: WorkspaceCommand): Model {
  const decision = decide(model, command);
  if (!decision.accepted) return model;
  const next: Model = { ...model, status: decision.status, archived: decision.archived };
  if (command.kind === 'submit_task') next.runningTaskId = 'task';
  if (decision.operation) {
    next.generation += 1;
    const id = `op${next.generation}`;
    next.operation = { id, kind: decision.operation };
    next.accepted = [...model.accepted, { operation_id: id, generation: next.generation, kind: decision.operation }];
  }
  return next;
}

/** What the provisioner could say of one of the last operations; of a stop it never says ready, of another never removed. */
function applyFact(model: Model, fact: string, back: number): Model {
  const told = model.accepted.at(-1 - back);
  if (!told || (fact === 'removed') !== (told.kind === 'stop' && fact === 'removed') || (fact === 'ready' && told.kind === 'stop'))
    return model;
  if (!isCurrent({ operationId: model.operation?.id ?? null, generation: model.generation }, told)) return model;
  if (fact === 'failed kept' && model.podGeneration === null) return model;
  const ending =
    fact === 'ready'
      ? whenReady(told.kind, told.generation, model)
      : fact === 'removed'
        ? whenRemoved(told.kind, model)
        : whenFailed(fact === 'failed kept', model);
  return {
    ...model,
    status: ending.status,
    podGeneration: ending.podGeneration,
    operation: null,
    runningTaskId: ending.taskEnds ? null : model.runningTaskId,
  };
}

describe('a workspace under any sequence of commands and facts', () => {
  it('keeps its promises', () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        let model = fresh();
        for (const move of sequence) {
          const before = model;
          model = step(model, move);
          expect(WORKSPACE_STATUSES).toContain(model.status);
          // Generations only grow, by one for each accepted operation.
          expect(model.generation - before.generation).toBe(model.accepted.length - before.accepted.length);
          // A pod is never newer than what was accepted, and there is one exactly where the status says so.
          if (model.podGeneration !== null) expect(model.podGeneration).toBeLessThanOrEqual(model.generation);
          if (model.status === 'idle' || model.status === 'busy') expect(model.podGeneration).not.toBeNull();
          if (model.status === 'stopped' || model.status === 'failed') expect(model.podGeneration).toBeNull();
          // An operation is in flight exactly while the status is a passing one.
          expect(model.operation !== null).toBe(model.status === 'provisioning' || model.status === 'stopping');
          if (model.status === 'busy') expect(model.runningTaskId).not.toBeNull();
          if (model.status === 'idle') expect(model.runningTaskId).toBeNull();
          // Nothing archived runs.
          if (model.archived) expect(['stopped', 'failed']).toContain(model.status);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('has a way out of every state, with what the provisioner owes and what a caller may ask', () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        let model = sequence.reduce(step, fresh());
        for (const move of [
          { fact: 'failed', of: 0 },
          { taskEnds: true },
          { command: { kind: 'unarchive' } },
          { command: { kind: 'stop' } },
          { fact: 'removed', of: 0 },
          { command: { kind: 'resume' } },
          { fact: 'ready', of: 0 },
        ] as Move[]) {
          model = step(model, move);
        }
        expect(model).toMatchObject({ status: 'idle', podGeneration: model.generation, operation: null });
      }),
      { numRuns: 3_000 },
    );
  });
});
