import 'reflect-metadata';

/** What the API description says of an input beyond its rules. */
export interface Description {
  fields: Readonly<Record<string, string>>;
  /** A valid body, of which only known fields are shown. */
  example?: Readonly<Record<string, unknown>>;
}

const DESCRIPTION = Symbol('description of an input');

/** Says in words what the fields of an input are for. */
export function Describes<T>(fields: Partial<Record<keyof T & string, string>>, example?: object): (Class: new () => T) => void {
  return (Class) => Reflect.defineMetadata(DESCRIPTION, { fields, example }, Class);
}

/** What {@link Describes} says, those of base classes included. */
export function descriptionOf(Class: object): Description {
  const own = Reflect.getOwnMetadata(DESCRIPTION, Class) as Description | undefined;
  const base = Object.getPrototypeOf(Class) as object | null;
  const inherited = base && base !== Function.prototype ? descriptionOf(base) : { fields: {} };
  return { fields: { ...inherited.fields, ...own?.fields }, example: own?.example };
}
