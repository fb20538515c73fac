// @ts-check
// node scripts/count.mjs PASSED FAILED: the counts of the tests, the fault suite and the engines' tests with these added, as the last line of .ci/run.
import { countLine, isGreen, readReport } from './lib/count.mjs';
import { enginesReport, faultsReport, testReport } from './lib/state.mjs';

const [passed = 0, failed = 0] = process.argv.slice(2).map(Number);
const engines = readReport(enginesReport());
const reports = [testReport(), faultsReport()].map(readReport);
/** @param {keyof import('./lib/count.mjs').Count} kind */
const sum = (kind) => reports.reduce((total, count) => total + count[kind], engines[kind]);
// A run of no test at all is a failed one, but for the engines': a machine without any skips them all.
const empty = reports.filter((count) => count.passed + count.failed === 0).length;
const all = { passed: sum('passed') + passed, failed: sum('failed') + failed + empty, skipped: sum('skipped') };
console.log(countLine(all));
process.exitCode = isGreen(all) ? 0 : 1;
