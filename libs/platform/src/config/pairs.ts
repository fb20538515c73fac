import { ValidateBy } from 'class-validator';

/**
 * The pairs of a text such as `team=blue,region=eu%20west`, values percent-decoded, as OpenTelemetry's variables have them
 * (https://opentelemetry.io/docs/specs/otel/resource/sdk/). Undefined where the text is no such list.
 */
export function parsePairs(text: string): Record<string, string> | undefined {
  const pairs: Record<string, string> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const key = part.slice(0, at).trim();
    const value = decoded(part.slice(at + 1).trim());
    if (at < 1 || key === '' || value === undefined) return undefined;
    pairs[key] = value;
  }
  return pairs;
}

/** The value is a list that {@link parsePairs} can read. */
export function IsPairs(): PropertyDecorator {
  return ValidateBy({
    name: 'isPairs',
    validator: {
      validate: (value) => typeof value === 'string' && parsePairs(value) !== undefined,
      defaultMessage: () => '$property must be key=value pairs with commas between them, values percent-encoded',
    },
  });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
