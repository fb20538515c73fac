import type { EnvType, EnvValue } from './env.decorator';

const NUMBER = /^[+-]?(\d+(\.\d+)?|\.\d+)$/;
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/** Reads a variable's text as the type wanted; undefined where it cannot be. */
export function convert(text: string, type: EnvType): EnvValue | undefined {
  switch (type) {
    case 'text':
      return text;
    case 'number':
      return NUMBER.test(text.trim()) ? Number(text) : undefined;
    case 'boolean':
      return BOOLEANS[text.trim().toLowerCase()];
    case 'list':
      return Object.freeze(
        text
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      );
  }
}
