import { INVARIANTS, type Invariant, type Ledger } from './support/ledger';

/** A title and what was counted beneath it. */
type Section = [string, [string, number][]];

/** What a run has seen, as a table for people. */
export function table(ledger: Ledger, seed: string): string {
  const sections = [
    'run',
    'faults',
    'faults whose moment did not come',
    'faults that another one was in the way of',
    'operations',
    'tasks',
    'commands by message',
    'refusals',
    'requests repeated',
  ].map((section): Section => [`${section} (${Math.round(ledger.total(section) * 10) / 10})`, ledger.counts(section)]);
  sections[0]![0] = `seed ${seed}`;
  sections.push(['services that ended by themselves', ledger.counts('services that ended by themselves')]);
  sections.push([
    'messages',
    [
      ['sent, by id', ledger.total('messages')],
      ['came more than once', ledger.total('messages that came more than once')],
      ['dead, and replayed at the end', ledger.total('dead letters replayed')],
      ['dead', ledger.total('dead letters')],
    ],
  ]);
  sections.push([
    `violations (${ledger.violations.length})`,
    numbers().map((n) => [`${n}. ${INVARIANTS[n]} (looked at ${ledger.checked(n)} times)`, ledger.violationsOf(n).length]),
  ]);
  const width = Math.max(...sections.flatMap(([, rows]) => rows.map(([name]) => name.length))) + 4;
  return sections
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => [title, ...rows.map(([name, n]) => `  ${name.padEnd(width)}${String(n).padStart(9)}`)].join('\n'))
    .join('\n');
}

export function numbers(): Invariant[] {
  return Object.keys(INVARIANTS).map(Number) as Invariant[];
}
