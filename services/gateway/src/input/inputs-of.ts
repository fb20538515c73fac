import { PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import type { ClassConstructor } from 'class-transformer';

/** A route that takes no body, or no query: every field is unknown to it. */
export class Nothing {}

/** What a handler takes, read from its own signature. */
export interface Inputs {
  query: ClassConstructor<object>;
  body: ClassConstructor<object>;
}

/** The classes of a handler's `@Query()` and `@Body()`; `Nothing` where it has none. */
export function inputsOf(controller: object, method: string): Inputs {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) ?? {}) as Record<string, { index: number }>;
  const prototype = (controller as { prototype: object }).prototype;
  const types = (Reflect.getMetadata('design:paramtypes', prototype, method) ?? []) as ClassConstructor<object>[];
  const typeOf = (kind: RouteParamtypes): ClassConstructor<object> => {
    const [, argument] = Object.entries(args).find(([key]) => key.startsWith(`${kind}:`)) ?? [];
    return (argument && types[argument.index]) ?? Nothing;
  };
  return { query: typeOf(RouteParamtypes.QUERY), body: typeOf(RouteParamtypes.BODY) };
}

/** The path of a controller or of a handler, without slashes around it. */
export function pathOf(target: object): string {
  const path = Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined;
  return String(path ?? '').replace(/^\/+|\/+$/g, '');
}
