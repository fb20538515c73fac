import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type MetricSpec, Metrics } from '@reprise/platform';

const ROOT = resolve(__dirname, '..');
const SERVICES = ['gateway', 'lifecycle', 'provisioner', 'billing', 'deadletters'];

/** What each service registers. */
const specs = new Map<string, MetricSpec>();
for (const service of SERVICES) {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the path is computed
  const { METRICS } = require(join(ROOT, `services/${service}/src/metrics/${service}.metrics`)) as { METRICS: MetricSpec[] };
  for (const spec of METRICS) specs.set(spec.name, spec);
}

/** Prometheus's own, and those of the process that the dashboard uses. */
const GIVEN = new Map([
  ['up', ['job', 'instance']],
  ['process_cpu_seconds_total', []],
  ['process_resident_memory_bytes', []],
  ['nodejs_eventloop_lag_p99_seconds', []],
]);
/** Put on every series by the scrape. */
const OF_THE_SCRAPE = ['job', 'instance'];

interface Used {
  where: string;
  metric: string;
  /** Labels that it is selected by. */
  labels: string[];
}

const KEYWORDS = new Set([
  'by',
  'without',
  'and',
  'or',
  'unless',
  'on',
  'ignoring',
  'offset',
  'bool',
  'group_left',
  'group_right',
  'inf',
  'nan',
]);

/** The metrics in an expression of PromQL. */
function usedIn(where: string, expression: string): Used[] {
  const plain = expression.replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, ' ').replace(/\[[^\]]*\]/g, ' ');
  return [...plain.matchAll(/(?<![\w.$"])([a-z_:][\w:]*)\s*(\{[^}]*\})?(?!\w)/gi)].flatMap(
    ({ 0: all, 1: name, 2: selector = '', index }) => {
      const isCall = plain.slice(index + all.length).startsWith('(');
      if (isCall || KEYWORDS.has(name!.toLowerCase()) || insideQuotesOrBraces(plain, index)) return [];
      return [{ where, metric: name!, labels: [...selector.matchAll(/([a-z_]\w*)\s*(?:=~|!~|!=|=)/gi)].map((match) => match[1]!) }];
    },
  );
}

function insideQuotesOrBraces(text: string, index: number): boolean {
  const before = text.slice(0, index);
  return before.lastIndexOf('{') > before.lastIndexOf('}') || (before.match(/"/g) ?? []).length % 2 === 1;
}

/** `by (…)` and the like, and the labels in a legend or an annotation. */
function grouped(text: string): string[] {
  const lists = [...text.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap((match) => match[1]!.split(','));
  return lists.map((label) => label.trim()).filter(Boolean);
}

/** The specification of a series' name: a histogram has three. */
function specOf(name: string): MetricSpec | undefined {
  const own = specs.get(name);
  if (own && own.type !== 'histogram') return own;
  const base = specs.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  return base?.type === 'histogram' && base.name !== name ? base : undefined;
}

interface Dashboard {
  panels: {
    title: string;
    type: string;
    id: number;
    gridPos: { x: number; y: number; w: number; h: number };
    targets?: { expr: string; legendFormat: string }[];
  }[];
  templating: { list: { name: string; definition?: string }[] };
}
const dashboard = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana/reprise.json'), 'utf8')) as Dashboard;
const targets = dashboard.panels.flatMap(({ title, targets: list = [] }) => list.map((target) => ({ title, ...target })));
const inDashboard = targets.flatMap(({ title, expr }) => usedIn(title, expr));

/** The rules file is of one form, written here: one line for each expression. */
const alerts = readFileSync(join(ROOT, 'deploy/prometheus/alerts.yml'), 'utf8')
  .split(/^ {6}- alert: /m)
  .slice(1)
  .map((text) => {
    const line = (key: string): string =>
      new RegExp(`^ +${key}: (.*)$`, 'm')
        .exec(text)?.[1]
        ?.replace(/^'(.*)'$/, '$1')
        .replaceAll("''", "'") ?? '';
    const [name = ''] = text.split('\n');
    return {
      name,
      expr: line('expr'),
      severity: line('severity'),
      summary: line('summary'),
      description: line('description'),
      runbook: line('runbook_url'),
    };
  });
const inAlerts = alerts.flatMap(({ name, expr }) => usedIn(name, expr));

describe.each([...specs.values()].map((spec) => [spec.name, spec] as const))('the metric %s', (name, { type, help, labels, ...spec }) => {
  it('is named by the conventions, in base units', () => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*[a-z0-9]$/);
    expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|kb|mb|count|sum|bucket|info)(_total)?$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/);
    expect(name).toMatch(/^(http|messaging|metrics|reprise)_/);
  });

  it('says in a sentence what it tells, and has few labels', () => {
    expect(help).toMatch(/^[A-Z].*\.$/);
    expect(labels.length).toBeLessThanOrEqual(4);
    for (const label of labels) expect(label).toMatch(/^[a-z_]+$/);
    expect(labels.filter((label) => /(_id|^id|path|url|workspace|org|tenant|user|subject|le|job|instance)$/.test(label))).toEqual([]);
    if ('buckets' in spec) expect([...spec.buckets].sort((a, b) => a - b)).toEqual(spec.buckets);
  });

  it('has a panel', () => {
    expect(inDashboard.map(({ metric }) => specOf(metric)?.name)).toContain(name);
  });
});

it.each([...inDashboard, ...inAlerts])(
  '$where: $metric is told by some service, with the labels that it is selected by',
  ({ metric, labels }) => {
    const known = GIVEN.get(metric) ?? specOf(metric)?.labels;
    expect(known).toBeDefined();
    expect(labels.filter((label) => ![...known!, ...OF_THE_SCRAPE, 'le'].includes(label))).toEqual([]);
  },
);

it.each([...targets.map(({ title, expr }) => ({ where: title, expr })), ...alerts.map(({ name, expr }) => ({ where: name, expr }))])(
  '$where groups by labels that its metrics have: $expr',
  ({ where, expr }) => {
    const has = usedIn(where, expr).flatMap(({ metric }) => [...(GIVEN.get(metric) ?? specOf(metric)?.labels ?? [])]);
    expect(grouped(expr).filter((label) => ![...has, ...OF_THE_SCRAPE, 'le'].includes(label))).toEqual([]);
  },
);

describe('the dashboard', () => {
  it('has panels that do not lie on each other, each with an id of its own', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect({ title, x, y, free: !taken.has(`${x},${y}`), inside: x < 24 }).toMatchObject({ free: true, inside: true });
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  it('uses the variables that it has, and has those that it uses', () => {
    const used = new Set([...JSON.stringify(targets).matchAll(/\$(?!__)\{?(\w+)/g)].map((match) => match[1]));
    expect([...used].sort()).toEqual(dashboard.templating.list.map(({ name }) => name).sort());
    for (const { name, definition = '' } of dashboard.templating.list) {
      if (name === 'datasource') continue;
      const [, metric = ''] = /^label_values\(([a-z_]+)/.exec(definition) ?? [];
      expect(GIVEN.has(metric) || specOf(metric) !== undefined).toBe(true);
    }
  });
});

describe('the alert rules', () => {
  const [, section = ''] = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').split('\n## Metrics and alerts\n');

  it('are there, each name once', () => {
    expect(alerts.length).toBeGreaterThan(20);
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  it.each(alerts)('$name says how bad it is, what it means and where to read on', ({ name, severity, summary, description, runbook }) => {
    expect(['warning', 'critical']).toContain(severity);
    expect(summary).not.toBe('');
    expect(description).toMatch(/\.$/);
    expect(runbook).toBe('docs/operations.md#metrics-and-alerts');
    expect(section).toContain(`| \`${name}\` |`);
  });

  it('are all that the page tells of', () => {
    const told = [...section.matchAll(/^\| `(Reprise\w+)` \|/gm)].map((match) => match[1]);
    expect(told.sort()).toEqual(alerts.map(({ name }) => name).sort());
  });
});

it('what is specified is what is registered: name, help and labels', async () => {
  const metrics = new Metrics();
  for (const spec of specs.values()) {
    if (spec.type === 'counter') metrics.counter(spec);
    else if (spec.type === 'gauge') metrics.gauge(spec);
    else metrics.histogram(spec);
  }
  const text = await metrics.text();
  for (const { name, type, help } of specs.values()) expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}`);
});

const fileIn = (path: string) => readFileSync(join(ROOT, path), 'utf8');
it('the chart has the same alerts', () => {
  expect(fileIn('deploy/helm/reprise/files/alerts.yml')).toBe(fileIn('deploy/prometheus/alerts.yml'));
});
