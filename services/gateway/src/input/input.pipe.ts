import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import type { ClassConstructor } from 'class-transformer';
import { readInput } from './read-input';

/** Reads every `@Body()` and `@Query()` by the rules of its class. */
@Injectable()
export class InputPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || !metatype) return value;
    return readInput(metatype as ClassConstructor<object>, value, type);
  }
}
