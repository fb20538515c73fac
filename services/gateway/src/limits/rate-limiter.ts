import { Injectable } from '@nestjs/common';
import { refusal } from '@reprise/contracts';
import type { FastifyReply } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ApiError } from '../errors/api-error';
import { GatewayConfig } from '../gateway.config';

const WINDOW_SECONDS = 60;

/**
 * Counts requests in minutes, each of which begins with a caller's first request after the last one. In this process alone: with n replicas a
 * caller may have up to n times the limit.
 */
@Injectable()
export class RateLimiter {
  private readonly limit: number;
  private readonly limiter: RateLimiterMemory;

  constructor({ rateLimitPerMinute }: GatewayConfig) {
    this.limit = rateLimitPerMinute;
    this.limiter = new RateLimiterMemory({ points: rateLimitPerMinute, duration: WINDOW_SECONDS });
  }

  /**
   * Counts one request of this one, and tells the reply how many are left.
   * @throws ApiError `rate_limited` with `Retry-After`
   */
  async count(who: string, reply?: FastifyReply): Promise<void> {
    if (this.limit === 0) return;
    const { allowed, left, resetMs } = await this.consume(who);
    const headers = { 'x-ratelimit-limit': String(this.limit), 'x-ratelimit-remaining': String(left) };
    reply?.headers(headers);
    if (allowed) return;
    throw new ApiError(refusal('rate_limited'), { ...headers, 'retry-after': String(Math.max(1, Math.ceil(resetMs / 1000))) });
  }

  private async consume(who: string): Promise<{ allowed: boolean; left: number; resetMs: number }> {
    try {
      const { remainingPoints, msBeforeNext } = await this.limiter.consume(who);
      return { allowed: true, left: remainingPoints, resetMs: msBeforeNext };
    } catch (refused) {
      // It is thrown as it is, without being an error.
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return { allowed: false, left: 0, resetMs: refused.msBeforeNext };
    }
  }
}
