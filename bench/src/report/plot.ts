import type { Line } from '../harness/line';
import { figure, goalText } from './table';

const WIDTH = 1_000;
const ROW_HEIGHT = 24;
const BAR_HEIGHT = 14;
const MARGIN = { top: 56, right: 240, bottom: 24, left: 330 };
/** Twice what was asked for is as good as any more. */
const MOST = 2;
const [MET, MISSED] = ['#2f855a', '#c05621'];

/** How near each line comes to its goal, as SVG: a bar that reaches the rule has met it, and one that goes beyond is better than that. */
export function plotOf(lines: readonly Line[], title: string): string {
  const shown = lines.filter(({ goal }) => goal !== null);
  const bottom = MARGIN.top + shown.length * ROW_HEIGHT;
  const goal = x(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom + MARGIN.bottom}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    text(8, 20, title, 'font-size="14"'),
    text(goal, MARGIN.top - 8, 'goal', 'text-anchor="middle"'),
    ...shown.flatMap((line, index) => barOf(line, MARGIN.top + index * ROW_HEIGHT)),
    `<line x1="${goal}" x2="${goal}" y1="${MARGIN.top}" y2="${bottom}" stroke="#2d3748"/>`,
    '</svg>\n',
  ].join('\n');
}

/** The bar of one line, with its name to the left and its figures to the right. */
function barOf(line: Line, top: number): string[] {
  const end = x(Math.min(MOST, nearness(line)));
  const baseline = top + ROW_HEIGHT / 2 + 4;
  const bar = `x="${MARGIN.left}" y="${top + (ROW_HEIGHT - BAR_HEIGHT) / 2}" width="${end - MARGIN.left}" height="${BAR_HEIGHT}"`;
  return [
    text(MARGIN.left - 8, baseline, `${line.row}: ${line.what}`, 'text-anchor="end"'),
    `<rect ${bar} fill="${line.met ? MET : MISSED}"/>`,
    text(end + 6, baseline, labelOf(line)),
  ];
}

/** Where so many times the goal are. */
function x(times: number): number {
  return Math.round(MARGIN.left + (times / MOST) * (WIDTH - MARGIN.left - MARGIN.right));
}

function text(left: number, baseline: number, words: string, attributes = ''): string {
  return `<text x="${left}" y="${baseline}" fill="#2d3748" ${attributes}>${words.replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</text>`;
}

/** The share of the goal that is reached: above 1 where more than that is. */
export function nearness({ goal, ratio, ours }: Pick<Line, 'goal' | 'ratio' | 'ours'>): number {
  if (goal === null) return 0;
  const reached = goal.of === 'ratio' ? (ratio ?? 0) : ours;
  // What has not grown at all is not to be divided by.
  if (goal.at === 'most') return reached <= 0 ? Infinity : goal.value / reached;
  return reached / goal.value;
}

function labelOf({ goal, ratio, ours, unit, beside }: Line): string {
  if (goal === null) return '';
  const reached = goal.of === 'ratio' ? `${figure(ratio ?? 0)}×` : `${figure(ours)} ${unit}`;
  return `${reached}  (${goalText(goal, unit)}${beside === null ? '' : `, ${beside}`})`;
}
