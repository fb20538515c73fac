import { validateSync } from 'class-validator';
import { redactText } from '../logging/redact';
import { convert } from './convert';
import { type ConfigClass, type EnvValue, type EnvVariable, envVariables } from './env.decorator';
import { mayBeUnset, PHRASED, phraseFor } from './phrases';
import { textOf } from './secret-files';

/** The environment does not fit the config class; `problems` says each thing that is wrong, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

const LONGEST_SHOWN = 80;

/**
 * The config that an environment describes, validated and frozen. Variables that the class does not name are ignored,
 * and an empty one counts as unset. A secret may also stand in the file that `NAME_FILE` names.
 * @throws ConfigError with all problems at once.
 */
export function parseConfig<T extends object>(Class: ConfigClass<T>, env: NodeJS.ProcessEnv): T {
  const config = new Class();
  const problems = new Map<string, string>();
  const variables = envVariables(Class);
  const texts = new Map<EnvVariable, string>();
  for (const variable of variables) {
    const { text, problem } = textOf(variable, env);
    if (text !== undefined) texts.set(variable, text);
    if (problem !== undefined) {
      problems.set(variable.property, problem);
      continue;
    }
    const value = text === undefined ? variable.default : convert(text, variable.type);
    if (text !== undefined && value === undefined) problems.set(variable.property, mustBe(Class, variable, text));
    else if (value !== undefined) Object.defineProperty(config, variable.property, asField(value));
    else if (!mayBeUnset(Class, variable.property)) problems.set(variable.property, required(variable));
  }
  for (const { property, constraints = {} } of validateSync(config, { forbidUnknownValues: false })) {
    const variable = variables.find((candidate) => candidate.property === property);
    if (variable === undefined || problems.has(property)) continue;
    problems.set(property, broken(Class, variable, texts.get(variable), constraints));
  }
  if (problems.size > 0) throw new ConfigError(variables.flatMap(({ property }) => problems.get(property) ?? []));
  return Object.freeze(config);
}

function asField(value: EnvValue): PropertyDescriptor {
  return { value, enumerable: true, writable: true, configurable: true };
}

function required(variable: EnvVariable): string {
  return `${variable.name} is required: ${variable.description}`;
}

function mustBe(Class: ConfigClass, variable: EnvVariable, text: string): string {
  return `${variable.name} must be ${phraseFor(Class, variable)} ${got(variable, text)}`;
}

function broken(
  Class: ConfigClass,
  variable: EnvVariable,
  text: string | undefined,
  constraints: Readonly<Record<string, string>>,
): string {
  if (text === undefined && variable.default === undefined) return required(variable);
  const shown = text ?? String(variable.default);
  const own = Object.entries(constraints).find(([name]) => !PHRASED.has(name));
  if (own === undefined) return mustBe(Class, variable, shown);
  return `${own[1].replace(variable.property, variable.name)} ${got(variable, shown)}`;
}

function got(variable: EnvVariable, text: string): string {
  if (variable.secret === true) return '(its value is a secret and not shown)';
  const short = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  return `(got ${JSON.stringify(redactText(short))})`;
}
