// @ts-check
/** docs/message-catalogue.md: every message, as the contract library describes it. */

/** @typedef {import('../../libs/contracts/dist/index.js')} Contracts */
/** @typedef {import('../../libs/contracts/dist/index.js').MessageClass} Message */

/** @param {Contracts} contracts the built contract library @returns {string} */
export function messagesPage({ MESSAGES, EXCHANGE_OF, ERROR_CODES, mayPublish: may }) {
  /** @param {Message} m */
  const mayPublish = (m) => may('reprise_publisher', m);
  const commands = MESSAGES.filter((m) => m.kind === 'command');
  const queries = MESSAGES.filter((m) => m.kind === 'query');
  const groups = [
    ['Commands that an internal service may send', commands.filter(mayPublish)],
    ['Queries that an internal service may send, without `caller`', queries.filter(mayPublish)],
    ['Events', MESSAGES.filter((m) => m.kind === 'event')],
    ['Commands between Reprise’s own services', commands.filter((m) => !mayPublish(m))],
    ['Queries of Reprise’s own services and of operators', queries.filter((m) => !mayPublish(m))],
  ];
  const withoutCaller = (/** @type {object} */ example) =>
    Object.fromEntries(Object.entries(example).filter(([field]) => field !== 'caller'));
  const lines = [
    '# The message catalogue',
    '',
    'Made from `libs/contracts` by `npm run docs`; do not edit. How to send and read these: [messages.md](messages.md); for programs:',
    '[asyncapi.json](asyncapi.json).',
    'The routing key of a message is its type. The rules of each field stand beside it in `libs/contracts/src/messages`.',
    '',
  ];
  for (const [title, messages] of /** @type {[string, Message[]][]} */ (groups)) {
    lines.push(`## ${title}`, '');
    for (const m of messages) {
      lines.push(`### \`${m.type}\``, '', `Exchange \`${EXCHANGE_OF[m.kind]}\`${m.consumer ? `, handled by ${m.consumer}` : ''}.`, '');
      lines.push('```json', JSON.stringify(mayPublish(m) ? withoutCaller(m.example) : m.example, null, 2), '```', '');
    }
  }
  lines.push('## Error codes', '', '| code | HTTP | meaning |', '| --- | --- | --- |');
  for (const [code, [status, meaning]] of Object.entries(ERROR_CODES)) lines.push(`| \`${code}\` | ${status} | ${meaning} |`);
  return `${lines.join('\n')}\n`;
}
