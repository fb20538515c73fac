import type { Options } from 'amqplib';
import type { ErrorCode } from '../../libs/contracts/src/errors';

/** Whose login sends it: an internal publisher, or one of Reprise's own services gone wrong. */
export type Sender = 'publisher' | 'gateway' | 'lifecycle' | 'provisioner' | 'billing' | 'deadletters';

/**
 * How a message gets past the broker's permissions, which are asked for where it is published and not for where the broker moves it from there: out of a
 * queue of the sender's own by its dead-letter exchange, out of an exchange of the sender's own by its alternate exchange or by a binding.
 */
export type Detour = 'own queue' | 'alternate exchange' | 'own exchange';

/** What a bad message may speak of. */
export interface Surroundings {
  org: string;
  /** An idle workspace of this tenant, which no message of the corpus may change. */
  workspace: string;
  /** An operation of it that has ended. */
  operation: string;
  /** A workspace of another tenant. */
  foreign: string;
  /** A workspace that does not exist. */
  missing: string;
}

/**
 * How it must end: in the dead letters with this reason, refused with this code, refused by the broker itself, or without any effect at all. Where a
 * newer RabbitMQ refuses what an older one lets through, `orBarred` is what it says.
 */
export type End = { dead: string; orBarred?: RegExp } | { refused: ErrorCode } | { barred: RegExp } | 'nothing';

export interface BadMessage {
  name: string;
  as?: Sender;
  /** Where it is published, or where the detour takes it; by default the exchange of what its sender usually sends. */
  exchange?: string;
  /** By default the type. */
  routingKey?: string;
  via?: Detour;
  /** The routing key, and the property `type` where `properties` say nothing else. */
  type: string;
  body: Buffer | ((around: Surroundings) => unknown);
  /** On top of those of a well-formed message; undefined takes one away. */
  properties?: Options.Publish;
  headers?: Record<string, unknown>;
  end: End;
}

export const RESTART = 'reprise.workspace.restart.v1';
export const STOP = 'reprise.workspace.stop.v1';
export const RESUME = 'reprise.workspace.resume.v1';
export const CREATE = 'reprise.workspace.create.v1';
export const SUBMIT = 'reprise.task.submit.v1';
export const POSTURE = 'reprise.tenant.set-posture.v1';

export const UNPARSEABLE: End = { dead: 'unparseable' };
export const INVALID: End = { dead: 'invalid' };
export const FORBIDDEN: End = { dead: 'forbidden' };
/** What a command that is fine but for something that must not matter is answered with, if it speaks of a workspace that does not exist. */
export const HANDLED: End = { refused: 'workspace_not_found' };
