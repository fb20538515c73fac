import { registerDecorator } from 'class-validator';
import { ENCRYPTED_SECRET } from '../secret-keys';
import { areVariables, LONGEST_VALUE } from './rules';

/** A change may have null for a value: the variable is removed. */
interface SecretsOptions {
  removable: boolean;
}

/** The most bytes of one value in UTF-8: as many characters as it may have, of three bytes each. Linux starts no program with much more. */
export const LARGEST_SECRET = LONGEST_VALUE * 3;
/** A value of so many bytes in base64, with nonce and tag. */
const LONGEST_ENCRYPTED = 131_200;

/** As `IsStringMap`, but that a change may remove variables: what a caller sends, in clear. */
export function IsSecretMap({ removable }: SecretsOptions): PropertyDecorator {
  return isMap(
    'isSecretMap',
    removable,
    `strings of at most ${LONGEST_VALUE} characters and ${LARGEST_SECRET} bytes`,
    (variables) => areVariables(variables) && variables.every(([, text]) => Buffer.byteLength(text as string) <= LARGEST_SECRET),
  );
}

/** The same with encrypted values. */
export function IsEncryptedMap({ removable }: SecretsOptions): PropertyDecorator {
  return isMap(
    'isEncryptedMap',
    removable,
    'encrypted values',
    (variables) => areVariables(variables, LONGEST_ENCRYPTED) && variables.every(([, text]) => ENCRYPTED_SECRET.test(text as string)),
  );
}

type Variables = readonly (readonly [name: string, text: unknown])[];

function isMap(name: string, removable: boolean, values: string, fits: (variables: Variables) => boolean): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: propertyName as string,
      constraints: [removable],
      validator: {
        validate: (value: unknown) => {
          if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
          const variables = Object.entries(value);
          const set = variables.filter(([, text]) => !(removable && text === null));
          const removed = variables.filter(([, text]) => removable && text === null).map(([variable]) => [variable, ''] as const);
          return fits(set) && areVariables(removed);
        },
        defaultMessage: () =>
          `${String(propertyName)} must map at most 128 variable names (none starting with REPRISE_) to ${values}${removable ? ', or to null' : ''}`,
      },
    });
}
