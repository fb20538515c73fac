import { readFileSync } from 'node:fs';

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { functionName: string; url: string; lineNumber: number } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The functions of a `.cpuprofile` that took most, by themselves: `12.3 %  parse  path:line`, out of the time in which anything ran. */
export function hottest(file: string, root: string, count = 40): string {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame, root)]));
  const times = new Map<string, number>();
  samples.forEach((id, at) => {
    const name = names.get(id) ?? '?';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[at] ?? 0));
  });
  times.delete('(idle)');
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  const lines = [...times].sort(([, a], [, b]) => b - a).slice(0, count);
  return lines.map(([name, time]) => `${((time / all) * 100).toFixed(1).padStart(5)} %  ${name}\n`).join('');
}

function nameOf({ functionName, url, lineNumber }: { functionName: string; url: string; lineNumber: number }, root: string): string {
  if (url === '') return functionName;
  const place = url.replace('file://', '').replace(`${root}/`, '');
  return `${functionName === '' ? '(anonymous)' : functionName}  ${place}:${lineNumber + 1}`;
}
