import { Module } from '@nestjs/common';
import { ThrottlerStorage, ThrottlerStorageService } from '@nestjs/throttler';
import { RateLimiter } from './rate-limiter';

@Module({
  providers: [{ provide: ThrottlerStorage, useClass: ThrottlerStorageService }, RateLimiter],
  exports: [RateLimiter],
})
export class LimitsModule {}
