import { BETWEEN_SERVICES } from './between-services';
import { BODIES } from './bodies';
import { ENVELOPES } from './envelopes';
import { FORGERIES } from './forgeries';
import { HEADERS } from './headers';
import { MEANINGS, POSTURES } from './meanings';

/** Messages that no consumer may die of, stall on or lose. */
export const CORPUS = [...BODIES, ...ENVELOPES, ...HEADERS, ...MEANINGS, ...POSTURES, ...BETWEEN_SERVICES, ...FORGERIES] as const;
export * from './bad-message';
