import type { DeadLetterGroupView } from '@reprise/contracts';
import type { Environment } from '../environment';
import { Failure } from '../failure';
import { OperatorApi } from '../rest/operator-api';
import type { Filter } from './filter-options';

const WAITING = ['open', 'failed_again'] as const;

/** The dead letters, by REST. */
export class DeadLetterApi extends OperatorApi {
  private constructor(environment: Environment) {
    super(environment, '/v1/ops/dead-letters');
  }

  /** @throws Failure */
  static of(environment: Environment): DeadLetterApi {
    return new DeadLetterApi(environment);
  }

  /** How many letters fit the filter and wait for an operator. */
  async waiting(filter: Filter): Promise<number> {
    return (await this.waitingGroups(filter)).reduce((sum, { count }) => sum + count, 0);
  }

  /** The groups of letters that fit the filter and wait for an operator, the largest first. */
  async waitingGroups(filter: Filter): Promise<DeadLetterGroupView[]> {
    const statuses = filter.status ? [filter.status] : WAITING;
    const found = await Promise.all(statuses.map((status) => this.groups({ ...filter, status })));
    const merged = new Map<string, DeadLetterGroupView>();
    for (const group of found.flat()) merged.set(group.group, together(merged.get(group.group), group));
    return [...merged.values()].sort((one, other) => other.count - one.count);
  }

  /** Of letters in any status. */
  async groups(filter: Filter): Promise<DeadLetterGroupView[]> {
    return (await this.get<{ groups: DeadLetterGroupView[] }>('/groups', { ...filter, limit: '200' })).groups;
  }

  /** A slip of the hand is not an answer of nothing. @throws Failure where the filter names a group that there never was */
  async mustKnow({ group }: Filter): Promise<void> {
    if (group !== undefined && (await this.groups({ group })).length === 0)
      throw new Failure(`there is no group ${group}: reprise dead groups --all names all of them`);
  }
}

function together(one: DeadLetterGroupView | undefined, other: DeadLetterGroupView): DeadLetterGroupView {
  if (one === undefined) return other;
  const [first_failed_at] = [one.first_failed_at, other.first_failed_at].sort();
  const last_failed_at = [one.last_failed_at, other.last_failed_at].sort().at(-1);
  return { ...other, count: one.count + other.count, first_failed_at: first_failed_at!, last_failed_at: last_failed_at! };
}
