import { Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { refusal } from '@reprise/contracts';
import type { FastifyReply } from 'fastify';
import { ApiError } from '../errors/api-error';
import { GatewayConfig } from '../gateway.config';

const WINDOW_MS = 60_000;

/** Counts requests over the last minute, in this process alone: with n replicas a caller may have up to n times the limit. */
@Injectable()
export class RateLimiter {
  constructor(
    private readonly config: GatewayConfig,
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
  ) {}

  /**
   * Counts one request of this one, and tells the reply how many are left.
   * @throws ApiError `rate_limited` with `Retry-After`
   */
  async count(who: string, reply?: FastifyReply): Promise<void> {
    const limit = this.config.rateLimitPerMinute;
    if (limit === 0) return;
    const { totalHits, isBlocked, timeToBlockExpire } = await this.storage.increment(who, WINDOW_MS, limit, 0, 'minute');
    const headers = { 'x-ratelimit-limit': String(limit), 'x-ratelimit-remaining': String(Math.max(0, limit - totalHits)) };
    reply?.headers(headers);
    if (!isBlocked) return;
    throw new ApiError(refusal('rate_limited'), { ...headers, 'retry-after': String(Math.max(1, timeToBlockExpire)) });
  }
}
