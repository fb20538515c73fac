/** The checks of a request, in their order, as the description of the API lists them. README.md and docs/architecture.md say the same. */
export const ORDER_OF_CHECKS = [
  '404 `route_not_found`',
  '401',
  '429',
  '403 by scope',
  '413, 415',
  '400',
  '423, and 403 `tenant_unknown`',
  '404 of an id or a name that has the wrong form',
  '403 by creator',
  '422',
  '404',
  '409',
]
  .map((check, index) => `${index + 1}. ${check}`)
  .join('\n');
