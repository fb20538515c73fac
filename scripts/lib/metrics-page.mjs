// @ts-check
import { resolve } from 'node:path';
import { SERVICES } from './service-env.mjs';

/** @typedef {{ name: string, type: string, help: string, labels: readonly string[] }} Metric */

const INTRODUCTION = `# Metrics

_Made by \`npm run docs\` from what each service registers (\`*.metrics.ts\`); change it there._

Every service answers \`GET /metrics\` on \`METRICS_PORT\` (9464), which is not the port that it serves (docs/adr/0015). It listens on loopback alone until
\`METRICS_HOST\` says otherwise (\`0.0.0.0\` where Prometheus is on another machine): keep it to the monitoring. With
\`npm start\` the ports are in \`.reprise/env\`, as \`<SERVICE>_METRICS_PORT\`. \`deploy/prometheus\` has a scrape configuration and the alert rules,
\`deploy/grafana\` the dashboard, [operations.md](operations.md#metrics-and-alerts) what to do when an alert fires.

- **Counters and histograms** are each process's own; add them up over the replicas. A histogram's \`_count\` is the number of the things it times.
- **Gauges that say "the same from every replica"** are asked of the database or the broker at the scrape, at most once in five to fifteen seconds
  however often it is scraped, and within two seconds. Take the \`max\` over the replicas, not the sum. While their source does not answer they are
  left out, everything else is told, and \`metrics_source_up\` is 0.
- No label has values from outside: an unknown message type is \`unknown\`, a path without a route is \`unmatched\`, a code too many is \`other\`.
- Besides these every service tells the metrics of its process, \`process_*\` and \`nodejs_*\` (CPU, memory, event loop, garbage collection), as
  [prom-client](https://github.com/siimon/prom-client#default-metrics) has them. The event loop's lag is measured every 50 ms, and no quantile of it is below that.

RabbitMQ tells its own by its plugin \`rabbitmq_prometheus\` (port 15692): use it beside these for the nodes, the connections, memory and disk, and for
queues whose service is down, since that service cannot tell of them then. AMQP does not say how old the oldest message of a queue is:
\`messaging_message_age_seconds\` is how old messages were when they were delivered, and where nothing is delivered, \`messaging_queue_messages\` grows.
`;

/**
 * The text of docs/metrics.md: every metric, and which services tell it.
 * @param {string} root the checkout, where everything is built
 * @param {(path: string) => Record<string, any>} load a `require`, because services are CommonJS
 */
export function metricsPage(root, load) {
  /** @type {Map<string, { metric: Metric, services: string[] }>} */
  const all = new Map();
  for (const service of SERVICES) {
    const { METRICS } = load(resolve(root, `services/${service}/dist/metrics/${service}.metrics.js`));
    for (const metric of /** @type {Metric[]} */ (METRICS)) {
      const known = all.get(metric.name) ?? { metric, services: [] };
      known.services.push(service);
      all.set(metric.name, known);
    }
  }
  const rows = [...all.values()].sort((a, b) => (a.metric.name < b.metric.name ? -1 : 1));
  /** @param {(services: string[]) => boolean} chosen */
  const table = (chosen) => tableOf(rows.filter(({ services }) => chosen(services)));
  const sections = [
    `## Of every service\n\n${table((services) => services.length === SERVICES.length)}`,
    `## Of every service with a database\n\n${table((services) => services.length > 1 && services.length < SERVICES.length)}`,
    ...SERVICES.map((name) => ({ name, rows: table((services) => services.length === 1 && services[0] === name) }))
      .filter(({ rows: text }) => text !== '')
      .map(({ name, rows: text }) => `## Of ${name}\n\n${text}`),
  ];
  return [INTRODUCTION, ...sections].join('\n');
}

/** @param {{ metric: Metric }[]} rows */
function tableOf(rows) {
  if (rows.length === 0) return '';
  const lines = rows.map(({ metric: { name, type, labels, help } }) => {
    const cells = [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), help.replaceAll('|', '\\|')];
    return `| ${cells.join(' | ')} |`;
  });
  return `| metric | type | labels | what it tells |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`;
}
