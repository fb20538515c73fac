/**
 * Runs a command as a user that the machine does not know: without other groups, without capabilities, and without a way to get any by a program
 * that is another user's. The process keeps its id: `setpriv` becomes the command.
 */
export function asUser(uid: number, command: readonly string[]): [string, ...string[]] {
  const none = ['--clear-groups', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, ...none, ...command];
}
