// @ts-check

/** When the terminal or pipe that reads us goes away, what we print is lost, and nothing else. */
export function tolerateClosedOutput() {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/**
 * Call `first` at the first wish to stop (Ctrl-C, SIGTERM, a closed terminal), `again` at a Ctrl-C after that.
 * @param {() => void} first
 * @param {() => void} again
 */
export function onStopSignal(first, again) {
  let since = 0;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (since === 0) {
        since = Date.now();
        first();
        // One key press may come twice: from the terminal, and passed on by npm.
      } else if (Date.now() - since > 1_000) again();
    });
  }
}
