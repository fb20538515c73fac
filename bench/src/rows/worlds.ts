import { TENANTS } from '../ground/callers';
import { World } from '../ground/worlds';

const SLACK = 200;

/** 10,000 workspaces, and what refuses. Some more than that, for requests that are prepared and not sent. */
export const TEN_THOUSAND = new World('ten thousand', { workspaces: 10_000 + SLACK, tenants: TENANTS, refusing: true });
