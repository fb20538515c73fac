import Table from 'cli-table3';
import type { Goal, Line } from '../harness/line';

const HEAD = ['row', 'ours', 'beside', 'ratio', 'spread', 'goal', ''];

/** The lines as a table for people, each row's name once, with the notes beneath. */
export function tableOf(lines: readonly Line[]): string {
  const table = new Table({
    head: HEAD,
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'left', 'right', 'right', 'right', 'left'],
  });
  for (const line of lines) table.push(cellsOf(line));
  const notes = [...new Set(lines.filter(({ note }) => note !== null).map(({ row, note }) => `${row}: ${note}`))];
  return [table.toString(), ...notes].join('\n');
}

function cellsOf(line: Line): string[] {
  const { row, what, unit, ours, beside, limit, ratio, spread, goal, met, rounds } = line;
  const shown = ratio === null ? figure : share;
  return [
    `${row}: ${what}`,
    `${figure(ours)} ${unit}`,
    beside === null || limit === null ? '' : `${figure(limit)} ${unit}, ${beside}`,
    ratio === null ? '' : share(ratio),
    rounds.length > 1 ? `${shown(spread[0])}–${shown(spread[1])}` : '',
    goal === null ? '' : goalText(goal, unit),
    met === null ? '' : met ? 'met' : 'NOT MET',
  ];
}

/** As short as it can be and still tell what it is: three digits, or all before the point. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : 2);
}

function share(value: number): string {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `≥ 0.4×`, `≤ 120 MiB`. */
export function goalText({ at, value, of }: Goal, unit: string): string {
  const sign = at === 'least' ? '≥' : '≤';
  return of === 'ratio' ? `${sign} ${value}×` : `${sign} ${value} ${unit}`;
}
