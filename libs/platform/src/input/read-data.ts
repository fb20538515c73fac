import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, type ValidationError, validateSync } from 'class-validator';
import { Findings } from './findings';
import { findUnstorable } from './storable';

export interface ReadOptions {
  /** What becomes of a field that no rule of the class knows. */
  unknown: 'refused' | 'left out';
  /**
   * Whether a field of a class, of this one or of one within it, may be sent as null. By default as the rules have it, for which null is "not given"
   * wherever a field is optional.
   */
  mayBeNull?: (field: string, Class: InputClass) => boolean;
}

type InputClass<T extends object = object> = new () => T;

/**
 * What was sent as an instance of the class whose rules it keeps, or what is wrong with it. The one reading of data from outside, by REST and by
 * message: what it costs and what it tells are bounded, however long the data and however many things are wrong. Only the own fields of what was
 * sent count, and maps are kept as they came, whatever their keys are called.
 */
export function readData<T extends object>(Class: InputClass<T>, sent: object, options: ReadOptions): { data: T } | { findings: Findings } {
  const findings = new Findings();
  const data = instanceOf(Class, sent, options, findings, []);
  findUnstorable(data, findings);
  // The validator takes an object without rules for an unknown one; one that carries nothing is known.
  if (fieldsOf(Class).size > 0) validate(data, findings);
  return findings.none ? { data } : { findings };
}

/** An instance with the fields that the class knows. A map or a list is the very one that was sent; class-transformer would drop some of its keys. */
function instanceOf<T extends object>(Class: InputClass<T>, sent: object, options: ReadOptions, findings: Findings, path: string[]): T {
  const fields = fieldsOf(Class);
  if (options.unknown === 'refused') refuseUnknown(fields, sent, findings, path);
  const plain: [string, unknown][] = [];
  const made: [string, unknown][] = [];
  for (const [field, Inner] of fields) {
    if (!Object.hasOwn(sent, field)) continue;
    const value = (sent as Record<string, unknown>)[field];
    if (value === null && options.mayBeNull?.(field, Class) === false) findings.add([...path, field], `${field} must not be null`);
    if (typeof value !== 'object' || value === null) plain.push([field, value]);
    else if (Inner === undefined) made.push([field, value]);
    // A list is refused by the field's rules, and not looked into.
    else made.push([field, Array.isArray(value) ? [] : instanceOf(Inner, value, options, findings, [...path, field])]);
  }
  return Object.assign(plainToInstance(Class, Object.fromEntries(plain)), Object.fromEntries(made));
}

function refuseUnknown(fields: ReadonlyMap<string, unknown>, sent: object, findings: Findings, path: readonly string[]): void {
  for (const field in sent) {
    if (findings.full) return;
    if (Object.hasOwn(sent, field) && !fields.has(field)) findings.add([...path, field], 'is not known here');
  }
}

function validate(data: object, findings: Findings): void {
  try {
    breaches(validateSync(data, { forbidUnknownValues: true }), findings, []);
  } catch {
    // A rule's message may turn the value into text, which `{"toString": 1}` does not let it do. No rule throws for a value that it takes.
    findings.add([], 'holds a value that its rules cannot read');
  }
}

/** One sentence a field: the first rule that it breaks, as the class lists them. */
function breaches(errors: readonly ValidationError[], findings: Findings, path: readonly string[]): void {
  for (const { property, constraints = {}, children = [] } of errors) {
    const [message] = Object.values(constraints).slice(-1);
    if (message !== undefined) findings.add([...path, property], message);
    breaches(children, findings, [...path, property]);
  }
}

const known = new Map<InputClass, ReadonlyMap<string, InputClass | undefined>>();

/** The fields that the class has rules for, each with its class where it is an object of one. */
function fieldsOf(Class: InputClass): ReadonlyMap<string, InputClass | undefined> {
  const before = known.get(Class);
  if (before) return before;
  const fields = new Map<string, InputClass | undefined>();
  for (const { propertyName, type } of getMetadataStorage().getTargetValidationMetadatas(Class, '', false, false)) {
    if (type === 'nestedValidation') fields.set(propertyName, classOf(Class, propertyName));
    else if (!fields.has(propertyName)) fields.set(propertyName, undefined);
  }
  known.set(Class, fields);
  return fields;
}

/** The class of a field, as the compiler writes it down. */
function classOf(Class: InputClass, field: string): InputClass {
  return Reflect.getMetadata('design:type', Class.prototype as object, field) as InputClass;
}
