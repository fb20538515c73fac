// @ts-check
/** In the order in which they are stopped: what takes requests in first, so that nothing is asked of one that has gone. */
export const SERVICES = /** @type {const} */ (['gateway', 'lifecycle', 'provisioner', 'billing', 'deadletters']);
/** @typedef {typeof SERVICES[number]} ServiceName */
