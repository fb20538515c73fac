/** A row read as JSON inside another row: its times are text. */
export type Embedded<T> = { [K in keyof T]: T[K] extends Date ? string : T[K] extends Date | null ? string | null : T[K] };
