/** How much of a snapshot stands between two stages of its way: Node's own 16 KiB would be filled by each chunk that comes from a socket, and they would take turns. */
export const IN_FLOW = 256 * 1024;
