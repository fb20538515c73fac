import type { Bench, Row } from '../bench';
import type { Line } from '../harness/line';
import { lineOfFigures } from '../harness/line';
import { inTurns } from '../harness/turns';

/** As large as the gateway reads a body. */
const BYTES = 1_048_576 - 1_024;
/** The kernel counts processor time in hundredths of a second: one request alone would be told as 0 or 10 ms. */
const REQUESTS = 20;
const KIB = 1_024;

/** Bodies that cost much to check, by what is costly in them. */
const BODIES: Readonly<Record<string, string>> = {
  'NUL, sixty levels down': filled(`{"role_name":"nope","x":${'{"a":'.repeat(60)}[`, () => '"\\u0000"', `]${'}'.repeat(61)}`),
  'unknown keys': filled('{"role_name":"nope",', (at) => `"k${at}":1`, '}'),
  'long unknown keys': filled('{"role_name":"nope",', (at) => `"${'k'.repeat(1_000)}${at}":1`, '}'),
  'objects within each other': `{"role_name":"nope","x":${'{"a":'.repeat(BYTES / 8)}1${'}'.repeat(BYTES / 8 + 1)}`,
};

interface Refused {
  /** Of the gateway, in milliseconds a request. */
  readonly processorMs: number;
  /** The largest answer, in KiB. */
  readonly answerKib: number;
}

export const hostile: Row = {
  name: 'hostile',
  about: 'the gateway’s processor time for a body of 1 MB that is refused, and the size of the answer',
  async measure(bench) {
    await bench.fleet.have('none');
    const lines: Line[] = [];
    for (const [name, body] of Object.entries(BODIES)) {
      const { refused } = await inTurns({ refused: () => refusals(bench, body) }, bench.turns);
      const about = { row: 'hostile', unit: 'ms', goal: { at: 'most', value: 50 } } as const;
      const largest = Math.max(...refused.map(({ answerKib }) => answerKib));
      const note = `its answer has ${largest.toFixed(1)} KiB${largest > 16 ? ', and may have 16' : ''}`;
      const ours = refused.map(({ processorMs }) => processorMs);
      lines.push(lineOfFigures({ ...about, what: `processor time a refusal, ${name}`, note }, ours));
    }
    return lines;
  },
};

/** One after the other, so that the time is that of the requests alone. @throws Error where one is not refused as invalid */
async function refusals(bench: Bench, body: string): Promise<Refused> {
  const { figures, url } = bench.fleet.service('gateway');
  const headers = { authorization: `Bearer ${bench.callers.tokens[0]}`, 'content-type': 'application/json' };
  const before = figures.processorMs;
  const count = bench.amount(REQUESTS, 5);
  let largest = 0;
  for (let sent = 0; sent < count; sent += 1) {
    const answer = await fetch(`${url}/v1/workspaces`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (answer.status !== 400) throw new Error(`a hostile body was answered with ${answer.status}: ${text.slice(0, 200)}`);
    largest = Math.max(largest, Buffer.byteLength(text));
  }
  return { processorMs: (figures.processorMs - before) / count, answerKib: largest / KIB };
}

function filled(before: string, unit: (at: number) => string, after: string): string {
  const units: string[] = [];
  let size = before.length + after.length;
  for (let each = unit(0); size + each.length < BYTES; each = unit(units.length)) {
    units.push(each);
    size += each.length + 1;
  }
  return before + units.join(',') + after;
}
