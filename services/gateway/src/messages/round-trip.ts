import { Injectable } from '@nestjs/common';
import { type MessageClass, newId } from '@reprise/contracts';
import { Requester, RequestFailedError, RequestTimeoutError, RequestUnavailableError } from '@reprise/messaging';
import { ApiError, unavailable } from '../errors/api-error';
import { GatewayConfig } from '../gateway.config';
import { valueOf } from './value-of';

/** For whom a message is sent. */
export interface Sender {
  orgId?: string;
  actor?: string;
}

/** That a message will not be answered for one of these is a mistake in a program; repeating it would not help. */
const MISTAKES = new Set(['unparseable', 'invalid', 'no_handler', 'message_id_reused', 'reply_too_large']);

/** The one way in which the gateway asks anybody anything: a message, sent under one id until it is answered or out of time. */
@Injectable()
export class RoundTrip {
  constructor(
    private readonly requester: Requester,
    private readonly config: GatewayConfig,
  ) {}

  /**
   * What the message was answered with.
   * @throws ApiError the refusal that it was answered with; `unavailable` where no answer came in time
   */
  async ask<T>(message: MessageClass, data: object, { orgId, actor }: Sender = {}): Promise<T> {
    const { commandTimeoutMs, queryTimeoutMs, resendEveryMs } = this.config;
    const deadlineMs = message.kind === 'query' ? queryTimeoutMs : commandTimeoutMs;
    const { workspace_id: subject = null } = data as { workspace_id?: string };
    const request = { id: newId('message'), type: message.type, data, orgId, actor, subject };
    const reply = await this.requester.request<T>(request, { deadlineMs, resendEveryMs }).catch((error: unknown) => {
      throw notAnswered(message, error);
    });
    return valueOf(reply);
  }
}

/** Whether what `ask` threw says that nobody there takes messages of this type: there is no queue for it, or no handler behind the queue. */
export function isTakenByNobody(error: unknown): boolean {
  if (error instanceof RequestFailedError) return error.reason === 'no_handler';
  return error instanceof ApiError && error.cause instanceof RequestUnavailableError;
}

function notAnswered({ kind }: MessageClass, error: unknown): unknown {
  if (error instanceof RequestFailedError && MISTAKES.has(error.reason)) return error;
  if (error instanceof RequestTimeoutError && kind === 'command') {
    return unavailable(
      'No answer came in time, and the command may yet be carried out; repeat the request with the same Idempotency-Key.',
      error,
    );
  }
  const expected = [RequestTimeoutError, RequestUnavailableError, RequestFailedError].some((each) => error instanceof each);
  return expected ? unavailable(undefined, error) : error;
}
