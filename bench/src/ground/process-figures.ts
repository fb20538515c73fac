import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Linux counts processor time in ticks of a hundredth of a second (`getconf CLK_TCK`, the same on every platform that Node has). */
const TICK_MS = 10;
const MIB = 1_024;

/** What the kernel tells of a process. */
export class ProcessFigures {
  constructor(private readonly pid: number) {}

  /** Resident memory, in MiB. */
  get memory(): number {
    return this.status('VmRSS') / MIB;
  }

  /** The most resident memory that it ever had since the last `forgetPeak`, in MiB. */
  get peak(): number {
    return this.status('VmHWM') / MIB;
  }

  /** Processor time since its start, in milliseconds. */
  get processorMs(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    // The name stands in brackets and may hold anything: fields count from behind the last one (proc(5): utime 14th, stime 15th).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  /** How much of one core it takes, in per cent, measured over so many seconds. */
  async processor(seconds: number, signal: AbortSignal): Promise<number> {
    const [before, from] = [this.processorMs, performance.now()];
    await sleep(seconds * 1_000, undefined, { signal });
    return ((this.processorMs - before) / (performance.now() - from)) * 100;
  }

  /** The highest of many looks at its memory, in MiB, until the returned function is called. */
  watchMemory(): () => number {
    let highest = this.memory;
    const timer = setInterval(() => (highest = Math.max(highest, this.memory)), 20);
    return () => {
      clearInterval(timer);
      return highest;
    };
  }

  private status(field: string): number {
    const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    if (!line) throw new Error(`The kernel tells no ${field} of ${this.pid}`);
    return Number(line[1]);
  }
}
