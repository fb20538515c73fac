// @ts-check
/** docs/message-catalogue.md: every message, as the contract library describes it. */

/**
 * @typedef {{ type: string, kind: 'command' | 'event' | 'query', consumer: string | null, example: object }} Message
 * @typedef {{ MESSAGES: Message[], EXCHANGE_OF: Record<string, string>, BROKER_USERS: { name: string, topics: { exchange: string, write: string }[] }[], ERROR_CODES: Record<string, readonly [number, string]> }} Contracts
 */

/** @param {Contracts} contracts the built contract library @returns {string} */
export function messagesPage({ MESSAGES, EXCHANGE_OF, BROKER_USERS, ERROR_CODES }) {
  const publisher = BROKER_USERS.find((u) => u.name === 'reprise_publisher');
  /** @param {Message} m */
  const mayPublish = (m) => publisher?.topics.some((t) => t.exchange === EXCHANGE_OF[m.kind] && new RegExp(t.write).test(m.type)) ?? false;
  const commands = MESSAGES.filter((m) => m.kind === 'command');
  const groups = [
    ['Commands that an internal service may send', commands.filter(mayPublish)],
    ['Events', MESSAGES.filter((m) => m.kind === 'event')],
    ['Commands between Reprise’s own services', commands.filter((m) => !mayPublish(m))],
    ['Queries', MESSAGES.filter((m) => m.kind === 'query')],
  ];
  const lines = [
    '# The message catalogue',
    '',
    'Made from `libs/contracts` by `npm run docs`; do not edit. How to send and read these: [messages.md](messages.md).',
    'The routing key of a message is its type. The rules of each field stand beside it in `libs/contracts/src/messages`.',
    '',
  ];
  for (const [title, messages] of /** @type {[string, Message[]][]} */ (groups)) {
    lines.push(`## ${title}`, '');
    for (const m of messages) {
      lines.push(`### \`${m.type}\``, '', `Exchange \`${EXCHANGE_OF[m.kind]}\`${m.consumer ? `, handled by ${m.consumer}` : ''}.`, '');
      lines.push('```json', JSON.stringify(m.example, null, 2), '```', '');
    }
  }
  lines.push('## Error codes', '', '| code | HTTP | meaning |', '| --- | --- | --- |');
  for (const [code, [status, meaning]] of Object.entries(ERROR_CODES)) lines.push(`| \`${code}\` | ${status} | ${meaning} |`);
  return `${lines.join('\n')}\n`;
}
