import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEATHS } from './kinds/deaths';
import { HINDRANCES } from './kinds/hindrances';
import { numbers, table } from './report';
import { run } from './run';
import { INVARIANTS, type Ledger } from './support/ledger';

const { FAULTS_SEED = '1', FAULTS_MINUTES = '3', FAULTS_OPERATIONS = '300', FAULTS_WORKSPACES = '40', FAULTS_STATE = '' } = process.env;
const minutes = Number(FAULTS_MINUTES);
/** Beside the run itself: making and resting. */
const BESIDE_MINUTES = 20;
/** A short run has not the time for every kind. */
const KINDS_A_MINUTE = 4;

/** The invariants of the product, after users and faults were at it for a time. See docs/faults.md. */
describe(`after ${minutes} minutes of faults, seed ${FAULTS_SEED}`, () => {
  let ledger: Ledger;

  beforeAll(
    async () => {
      ledger = await run({
        seed: FAULTS_SEED,
        minutes,
        operations: Number(FAULTS_OPERATIONS),
        workspaces: Number(FAULTS_WORKSPACES),
        serversState: FAULTS_STATE,
        tell: (line) => void process.stderr.write(`${line}\n`),
      });
      const text = table(ledger, FAULTS_SEED);
      process.stderr.write(`\n${text}\n\n`);
      writeFileSync(join(FAULTS_STATE, `report-${FAULTS_SEED}.txt`), `${text}\n`);
    },
    (minutes * 2 + BESIDE_MINUTES) * 60_000,
  );

  it.each(numbers().map((n) => [n, INVARIANTS[n]] as const))('invariant %d holds: %s', (n) => {
    expect(ledger.violationsOf(n).map(({ what }) => what)).toEqual([]);
    // One that was never looked at has not been shown to hold.
    expect(ledger.checked(n)).toBeGreaterThan(0);
  });

  it(`was a run of at least ${FAULTS_OPERATIONS} operations, and of many kinds of faults`, () => {
    expect(ledger.total('operations')).toBeGreaterThanOrEqual(Number(FAULTS_OPERATIONS));
    const kinds = new Set([...DEATHS, ...HINDRANCES].map(({ kind }) => kind)).size;
    expect(ledger.counts('faults').length).toBeGreaterThanOrEqual(Math.min(kinds, minutes * KINDS_A_MINUTE));
  });
});
