import { accessSync, constants, statSync } from 'node:fs';
import { ValidateBy, type ValidationArguments, type ValidationOptions } from 'class-validator';

export const IS_URL_OF = 'isUrlOf';
export const IS_READABLE_FILE = 'isReadableFile';

/**
 * The value is a complete URL of one of these schemes (`'amqp', 'amqps'`). class-validator's own `IsUrl` wants a
 * top-level domain, which no host inside a cluster has.
 */
export function IsUrlOf(schemes: readonly string[], options?: ValidationOptions): PropertyDecorator {
  return ValidateBy({ name: IS_URL_OF, constraints: [schemes], validator: { validate: (value) => isUrlOf(value, schemes) } }, options);
}

function isUrlOf(value: unknown, schemes: readonly string[]): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const url = new URL(value);
  return schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== '';
}

/** The value is the path of a file that this process can read now: a typing error is told at the start, not by the first connection. */
export function IsReadableFile(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy({ name: IS_READABLE_FILE, validator: { validate: isReadableFile } }, options);
}

function isReadableFile(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    accessSync(value, constants.R_OK);
    return statSync(value).isFile();
  } catch {
    return false;
  }
}

/** The value is not that of another property. */
export function DiffersFrom(other: string, options?: ValidationOptions): PropertyDecorator {
  const validate = (value: unknown, args?: ValidationArguments): boolean => value !== (args?.object as Record<string, unknown>)[other];
  return ValidateBy({ name: 'differsFrom', constraints: [other], validator: { validate } }, options);
}
