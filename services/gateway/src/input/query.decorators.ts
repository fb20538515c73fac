import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { BeyondSchema, IsTime, Length } from '@reprise/contracts';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';

/** Query parameters come as text, or as a list where one is repeated; what cannot be read stays as it came, for the rule to refuse. */
type Sent = { value: unknown };

/** A query parameter that is `true` or `false`, and nothing else. */
export function QueryFlag(): PropertyDecorator {
  return applyDecorators(
    IsOptional(),
    Transform(({ value }: Sent) => (value === 'true' ? true : value === 'false' ? false : value)),
    IsBoolean({ message: '$property must be true or false' }),
  );
}

/** A query parameter that is a whole number in this range. */
export function QueryInteger(least: number, most: number): PropertyDecorator {
  const message = `$property must be a whole number from ${least} to ${most}`;
  return applyDecorators(
    IsOptional(),
    Transform(({ value }: Sent) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value)),
    IsInt({ message }),
    Min(least, { message }),
    Max(most, { message }),
  );
}

/** A query parameter that is any one text. @param longest how many characters it may have */
export function QueryText(longest?: number): PropertyDecorator {
  const rules = [IsOptional(), IsString({ message: '$property must be given once' })];
  return applyDecorators(...rules, ...(longest === undefined ? [] : [Length(0, longest)]));
}

/** Where a page begins. */
export function QueryCursor(longest: number): PropertyDecorator {
  const description = `The cursor of the page before this one, of the same list; at most ${longest} characters.`;
  return applyDecorators(QueryText(), BeyondSchema({ rule: 'issued', code: 'invalid_cursor', description }));
}

/** A query parameter that is a time. */
export function QueryTime(): PropertyDecorator {
  return applyDecorators(IsOptional(), IsTime());
}

/** A query parameter that is one of a list. */
export function QueryChoice(values: readonly string[]): PropertyDecorator {
  return applyDecorators(IsOptional(), IsIn(values, { message: `$property must be one of ${values.join(', ')}` }));
}
