/**
 * CloudEvents 1.0 in binary mode on AMQP 0-9-1. There is no official binding for 0-9-1; this mapping is ours (docs/messages.md):
 *
 * | CloudEvents      | AMQP 0-9-1                                                              |
 * | ---------------- | ----------------------------------------------------------------------- |
 * | id               | property `message-id`                                                   |
 * | type             | property `type`; also the routing key                                   |
 * | time             | property `timestamp` (seconds) and header `cloudEvents_time` (RFC 3339) |
 * | datacontenttype  | property `content-type`, always `application/json`                      |
 * | specversion      | header `cloudEvents_specversion`, always `1.0`                          |
 * | source           | header `cloudEvents_source`                                             |
 * | subject          | header `cloudEvents_subject`: the workspace, where there is one         |
 * | orgid (ext.)     | header `cloudEvents_orgid`: the tenant                                  |
 * | actor (ext.)     | header `cloudEvents_actor`: who asked                                   |
 * | traceparent      | header `traceparent`                                                    |
 * | data             | the body, JSON                                                          |
 *
 * `correlation-id` carries the id of the command that began it all (or the correlation id that this command came with).
 */
export const CE_HEADER = {
  specversion: 'cloudEvents_specversion',
  time: 'cloudEvents_time',
  source: 'cloudEvents_source',
  subject: 'cloudEvents_subject',
  orgId: 'cloudEvents_orgid',
  actor: 'cloudEvents_actor',
  traceparent: 'traceparent',
} as const;
