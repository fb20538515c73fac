import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import type { MessageSpec } from '../topology/catalog';
import { flawsOf } from '@reprise/platform';
import { DeadLetter } from './outcome';

/**
 * The data of a message as an instance of its class, valid by its rules. An unknown field is refused in a command or a query, since it may be
 * a misspelt `force`; in an event it is left out, so that a producer may tell more before its consumers know.
 * @throws DeadLetter `unparseable`: not JSON in UTF-8; `invalid`: an object of another shape, with every message of the rules
 */
export function decode(body: Buffer, spec: MessageSpec): object {
  const plain = parse(body);
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw new DeadLetter('invalid', `The data of ${spec.type} is not an object`);
  }
  const flaws = Object.entries(flawsOf(plain));
  if (flaws.length > 0) {
    throw new DeadLetter(
      'invalid',
      `The data of ${spec.type} cannot be stored: ${flaws.map(([path, flaw]) => `${path} ${flaw}`).join('; ')}`,
    );
  }
  const data = plainToInstance(spec.data, plain);
  const strict = spec.kind !== 'event';
  if (!hasRules(spec.data)) {
    // The validator takes an object without rules for an unknown one; a message that carries nothing is known.
    if (strict && Object.keys(plain).length > 0) throw new DeadLetter('invalid', `${spec.type} carries no data`);
    return new spec.data();
  }
  const errors = validateSync(data, {
    whitelist: true,
    forbidNonWhitelisted: strict,
    // Without it an object that has no rules at all would pass as valid.
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
  });
  if (errors.length > 0)
    throw new DeadLetter('invalid', `The data of ${spec.type} is not valid: ${errors.flatMap((e) => describe(e)).join('; ')}`);
  return data;
}

const withRules = new Map<new () => object, boolean>();

function hasRules(data: new () => object): boolean {
  let known = withRules.get(data);
  if (known === undefined) {
    known = getMetadataStorage().getTargetValidationMetadatas(data, '', false, false).length > 0;
    withRules.set(data, known);
  }
  return known;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body)) as unknown;
  } catch (cause) {
    throw new DeadLetter('unparseable', `The body is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Every message of the rules, each with the path to its field. */
function describe(error: ValidationError, path = ''): string[] {
  const own = Object.values(error.constraints ?? {}).map((message) => (path ? `${path}.${message}` : message));
  const inner = path ? `${path}.${error.property}` : error.property;
  return own.concat((error.children ?? []).flatMap((child) => describe(child, inner)));
}
