/** How often a header was sent: Node drops or joins those that are sent several times. `name` in lower case. */
export function timesSent(rawHeaders: readonly string[], name: string): number {
  let times = 0;
  // Names and values take turns.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const sent = rawHeaders[i];
    if (sent?.length === name.length && sent.toLowerCase() === name) times += 1;
  }
  return times;
}
