// @ts-check
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identify, isAlive } from './processes.mjs';

/** @typedef {import('./processes.mjs').Identity & { what: string }} Holder */

/** Who holds a lock now; null where nobody does, or only one who has died. @param {string} file @returns {Holder | null} */
export function holderOf(file) {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8'));
    return isAlive(holder) ? holder : null;
  } catch {
    return null;
  }
}

/**
 * Take the lock for this process, or tell who has it. A lock whose holder died (by pid and start time) is nobody's.
 * @param {string} file
 * @param {string} what this process is doing, for whoever finds the lock taken
 * @returns {{ release: () => void, holder: null } | { release: null, holder: Holder }}
 */
export function takeLock(file, what) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ ...identify(process.pid), what }), { mode: 0o600 });
  try {
    for (;;) {
      try {
        // A link appears whole and only where there was none: the lock is never seen empty.
        linkSync(draft, file);
        return { release: () => rmSync(file, { force: true }), holder: null };
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
      }
      const holder = holderOf(file);
      if (holder) return { release: null, holder };
      removeStale(file, `${draft}.stale`);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Renamed before it is removed, and looked at again: between our look and our rename another process may have taken the lock. @param {string} file @param {string} aside */
function removeStale(file, aside) {
  try {
    renameSync(file, aside);
  } catch {
    return; // another process removed it
  }
  if (holderOf(aside)) linkSync(aside, file);
  rmSync(aside, { force: true });
}
