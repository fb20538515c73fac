import { init } from 'echarts';
import type { Line } from '../harness/line';
import { figure, goalText } from './table';

const WIDTH = 1_000;
const BAR_HEIGHT = 24;
const MARGIN = { top: 56, right: 240, bottom: 24, left: 330 };
/** Twice what was asked for is as good as any more. */
const MOST = 2;
const [MET, MISSED] = ['#2f855a', '#c05621'];

/** How near each line comes to its goal, as SVG: 1 is the goal itself, and what is longer than that is better than it. */
export function plotOf(lines: readonly Line[], title: string): string {
  // The axis of categories goes upwards.
  const shown = lines.filter(({ goal }) => goal !== null).reverse();
  const height = MARGIN.top + MARGIN.bottom + shown.length * BAR_HEIGHT;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 8, top: 8, textStyle: { fontSize: 14, fontWeight: 'normal' } },
    grid: MARGIN,
    xAxis: { type: 'value', min: 0, max: MOST, interval: 1, axisLabel: { formatter: (value: number) => (value === 1 ? 'goal' : '') } },
    yAxis: { type: 'category', data: shown.map(({ row, what }) => `${row}: ${what}`), axisTick: { show: false } },
    series: [
      {
        type: 'bar',
        barWidth: BAR_HEIGHT * 0.6,
        data: shown.map((line) => ({ value: Math.min(MOST, nearness(line)), itemStyle: { color: line.met ? MET : MISSED } })),
        label: { show: true, position: 'right', formatter: ({ dataIndex }: { dataIndex: number }) => labelOf(shown[dataIndex]) },
        markLine: {
          symbol: 'none',
          silent: true,
          label: { show: false },
          data: [{ xAxis: 1 }],
          lineStyle: { color: '#2d3748', type: 'solid' },
        },
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

/** The share of the goal that is reached: above 1 where more than that is. */
export function nearness({ goal, ratio, ours }: Pick<Line, 'goal' | 'ratio' | 'ours'>): number {
  if (goal === null) return 0;
  const reached = goal.of === 'ratio' ? (ratio ?? 0) : ours;
  // What has not grown at all is not to be divided by.
  if (goal.at === 'most') return reached <= 0 ? Infinity : goal.value / reached;
  return reached / goal.value;
}

function labelOf(line: Line | undefined): string {
  if (!line?.goal) return '';
  const { goal, ratio, ours, unit, beside } = line;
  const reached = goal.of === 'ratio' ? `${figure(ratio ?? 0)}×` : `${figure(ours)} ${unit}`;
  return `${reached}  (${goalText(goal, unit)}${beside === null ? '' : `, ${beside}`})`;
}
