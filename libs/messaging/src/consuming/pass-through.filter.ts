import { Catch, type ExceptionFilter, type Type, UseFilters } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { PATTERN_METADATA } from '@nestjs/microservices/constants';
import { type Observable, throwError } from 'rxjs';

/** Lets what a handler throws reach the consumer as it is; Nest's own filter makes `{ status: 'error' }` of every error that it does not know. */
@Catch()
export class PassThroughFilter implements ExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => exception);
  }
}

const filtered = new WeakSet<Type>();

/**
 * Puts the filter on every controller that handles messages. Not a global filter: a hybrid application gives its microservice either its own
 * global filters, made for HTTP, or none. It must run before Nest registers the handlers.
 */
export function passErrorsThrough(modules: ModulesContainer): void {
  for (const { controllers } of modules.values()) {
    for (const { metatype } of controllers.values()) {
      const type = metatype as Type | null;
      if (!type || filtered.has(type) || !handlesMessages(type)) continue;
      filtered.add(type);
      UseFilters(new PassThroughFilter())(type);
    }
  }
}

function handlesMessages(type: Type): boolean {
  for (let at = type.prototype as object | null; at && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' && Reflect.hasMetadata(PATTERN_METADATA, value as object)) return true;
    }
  }
  return false;
}
