/**
 * Whether the database refused what was to be written for what it is: SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation). To
 * write the same once more changes nothing.
 */
export function isDataError(error: unknown): boolean {
  const { code, driverError } = (error ?? {}) as { code?: unknown; driverError?: { code?: unknown } };
  const state = driverError?.code ?? code;
  return typeof state === 'string' && /^2[23][0-9A-Z]{3}$/.test(state);
}
