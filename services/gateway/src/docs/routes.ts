import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants';
import type { Access } from '../auth/requires.decorator';
import { type Inputs, inputsOf, pathOf } from '../input/inputs-of';
import { type Answer, answerOf } from './answers.decorator';

/** A route of the public API, as its decorators say it is. */
export interface DocumentedRoute extends Inputs {
  name: string;
  method: 'get' | 'post' | 'patch';
  /** With `{parameters}`. */
  path: string;
  parameters: string[];
  access: Extract<Access, { by: 'token' }>;
  answer: Answer;
}

/** The documented routes of these controllers, in the order of their methods. */
export function routesOf(controllers: readonly Type[]): DocumentedRoute[] {
  return controllers.flatMap((controller) => {
    const prototype = controller.prototype as Record<string, unknown>;
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      const route = typeof handler === 'function' ? routeOf(controller, name, handler) : undefined;
      return route ? [route] : [];
    });
  });
}

function routeOf(controller: Type, name: string, handler: object): DocumentedRoute | undefined {
  const answer = answerOf(handler);
  if (!answer) return undefined;
  const { access } = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) ?? {}) as { access?: Access };
  if (access?.by !== 'token') throw new Error(`${controller.name}.${name} is documented but does not say what it requires`);
  const segments = [pathOf(controller), pathOf(handler)]
    .filter((part) => part !== '')
    .join('/')
    .split('/');
  const parameters = segments.filter((segment) => segment.startsWith(':')).map((segment) => segment.slice(1));
  const path = `/${segments.map((segment) => (segment.startsWith(':') ? `{${segment.slice(1)}}` : segment)).join('/')}`;
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod].toLowerCase() as DocumentedRoute['method'];
  return { name, method, path, parameters, access, answer, ...inputsOf(controller, name) };
}
