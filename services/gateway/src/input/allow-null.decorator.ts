import 'reflect-metadata';

const NULLABLE = Symbol('fields that may be null');

/** The field may be sent as null. */
export function AllowNull(): PropertyDecorator {
  return (prototype, field) => {
    const before = (Reflect.getMetadata(NULLABLE, prototype) ?? []) as (string | symbol)[];
    Reflect.defineMetadata(NULLABLE, [...before, field], prototype);
  };
}

/** Whether the class says so of the field. */
export function mayBeNull(Class: { prototype: unknown }, field: string): boolean {
  const fields = (Reflect.getMetadata(NULLABLE, Class.prototype as object) ?? []) as (string | symbol)[];
  return fields.includes(field);
}
