import { type ConfigClass, envVariables } from './env.decorator';
import { isOptional, mayBeUnset, phraseFor } from './phrases';

/** One setting, in words: a row of docs/configuration.md. */
export interface ConfigDescription {
  readonly name: string;
  readonly description: string;
  /** What values are right: `an integer between 1 and 65535`. */
  readonly allowed: string;
  /** As it would be written in the environment; undefined where there is none. */
  readonly default: string | undefined;
  readonly need: 'required' | 'conditional' | 'optional';
  readonly secret: boolean;
  readonly example: string | undefined;
}

/** Describes every setting of a config class, in the order in which it declares them, inherited ones first. */
export function describeConfig(Class: ConfigClass): ConfigDescription[] {
  return envVariables(Class).map((variable) => ({
    name: variable.name,
    description: variable.description,
    allowed: phraseFor(Class, variable),
    default: variable.default === undefined ? undefined : String(variable.default),
    need: needOf(Class, variable.property, variable.default !== undefined),
    secret: variable.secret === true,
    example: variable.example,
  }));
}

function needOf(Class: ConfigClass, property: string, hasDefault: boolean): ConfigDescription['need'] {
  if (hasDefault || isOptional(Class, property)) return 'optional';
  return mayBeUnset(Class, property) ? 'conditional' : 'required';
}
