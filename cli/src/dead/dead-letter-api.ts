import type { DeadLetterGroupView } from '@reprise/contracts';
import type { Environment } from '../environment';
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
    const statuses = filter.status ? [filter.status] : WAITING;
    const pages = await Promise.all(
      statuses.map((status) => this.get<{ groups: DeadLetterGroupView[] }>('/groups', { ...filter, status, limit: '200' })),
    );
    return pages.flatMap(({ groups }) => groups).reduce((sum, { count }) => sum + count, 0);
  }
}
