/** The tenant, the provider and the role that a fresh instance has to try. */
export const DEMO = { tenant: 'acme', name: 'demo', displayName: 'Demo' } as const;

/**
 * What a task of the demo role runs, in nothing but a POSIX shell: it remembers each message in a file of the workspace, and answers with
 * what it remembers, so that one sees at once whether a restart kept the conversation. A message that ends in `wait 60` takes a minute, to have
 * something to interrupt.
 */
const SCRIPT = `
message=$(tr '\\n' ' ')
printf '%s\\n' "$message" >> conversation.txt
seconds=$(printf '%s' "$message" | sed -n 's/.*wait \\([0-9][0-9]*\\)[. ]*$/\\1/p')
[ -z "$seconds" ] || sleep "$seconds"
count=$(wc -l < conversation.txt | tr -d ' ')
printf 'I remember %s message(s). The first was: %s\\n' "$count" "$(head -n 1 conversation.txt)"
`;

export const DEMO_COMMAND = ['sh', '-c', SCRIPT.trim()];
