import { schemaOfRules } from '@reprise/contracts';
import { mayBeNull } from '../input/allow-null.decorator';
import { descriptionOf } from './describes.decorator';
import type { Schema } from './schema';

/** The JSON Schema of an input, read from the very rules that are applied to it, with the words and the example that stand beside them. */
export function schemaOf(Class: new () => object): Schema {
  const { fields: words, example = {} } = descriptionOf(Class);
  const schema = schemaOfRules(Class, {
    describe: (field) => words[field],
    mayBeNull: (field) => mayBeNull(Class, field),
    nested: schemaOf,
  });
  const shown = Object.fromEntries(Object.entries(example).filter(([field]) => field in (schema.properties ?? {})));
  return { ...schema, ...(Object.keys(shown).length > 0 ? { examples: [shown] } : {}) };
}
