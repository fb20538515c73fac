import 'reflect-metadata';

/** The shapes that a variable's text can be read as. */
export type EnvType = 'text' | 'number' | 'boolean' | 'list';

/** A value that a setting can have. A list is written with commas. */
export type EnvValue = string | number | boolean | readonly string[];

export interface EnvOptions {
  /** One sentence for the reader of docs/configuration.md. */
  readonly description: string;
  /** The value where the variable is unset. Without one, and without `@IsOptional()`, the variable is required. */
  readonly default?: EnvValue;
  /** A secret's value is never printed, and it can have no default. */
  readonly secret?: boolean;
  readonly example?: string;
  /** Only where the property's declared type does not tell: an alias of a union, say. */
  readonly type?: EnvType;
}

/** One setting: the property of the config class, and the variable that fills it. */
export interface EnvVariable extends EnvOptions {
  readonly property: string;
  readonly name: string;
  readonly type: EnvType;
}

/** Any class whose instances are filled from the environment; it is constructed without arguments. */
export type ConfigClass<T extends object = object> = new () => T;

const VARIABLES = Symbol('env variables');

/**
 * Fills the property from an environment variable. What values are right is said by class-validator's decorators on
 * the same property. A subclass may declare the property again to change its default or description.
 * @throws TypeError at definition, if a secret is given a default.
 */
export function Env(name: string, options: EnvOptions): PropertyDecorator {
  if (options.secret === true && options.default !== undefined) {
    throw new TypeError(`${name} is a secret and must not have a default`);
  }
  return (prototype, property) => {
    const own = ownVariables(prototype);
    const type = options.type ?? declaredType(prototype, property, options.default);
    own.set(String(property), { ...options, property: String(property), name, type });
  };
}

/** All settings of a class: inherited ones first, each property once, a subclass's declaration winning. */
export function envVariables(Class: ConfigClass): EnvVariable[] {
  const chain: object[] = [];
  for (let at = Class.prototype as object | null; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    chain.unshift(at);
  }
  const all = new Map<string, EnvVariable>();
  for (const prototype of chain) {
    for (const [property, variable] of ownVariables(prototype)) all.set(property, variable);
  }
  return [...all.values()];
}

function ownVariables(prototype: object): Map<string, EnvVariable> {
  const existing = Reflect.getOwnMetadata(VARIABLES, prototype) as Map<string, EnvVariable> | undefined;
  if (existing !== undefined) return existing;
  const created = new Map<string, EnvVariable>();
  Reflect.defineMetadata(VARIABLES, created, prototype);
  return created;
}

function declaredType(prototype: object, property: string | symbol, fallback: EnvValue | undefined): EnvType {
  const declared: unknown = Reflect.getMetadata('design:type', prototype, property);
  if (declared === Number || typeof fallback === 'number') return 'number';
  if (declared === Boolean || typeof fallback === 'boolean') return 'boolean';
  if (declared === Array || Array.isArray(fallback)) return 'list';
  return 'text';
}
