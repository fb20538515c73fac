/** What came from outside: its shape is what the scenario's assertions check. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;
