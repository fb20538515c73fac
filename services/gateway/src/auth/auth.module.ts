import { Module } from '@nestjs/common';
import { GatewayConfig } from '../gateway.config';
import { LimitsModule } from '../limits/limits.module';
import { AccessHook } from './access.hook';
import { FileKeys } from './file-keys';
import { JwksKeys } from './jwks-keys';
import { PodAuthenticator } from './pod.authenticator';
import { TokenAuthenticator } from './token.authenticator';
import { VerificationKeys } from './verification-keys';

@Module({
  imports: [LimitsModule],
  providers: [
    {
      provide: VerificationKeys,
      inject: [GatewayConfig],
      useFactory: ({ jwtJwksUri: uri, jwtPublicKeyFile, ...config }: GatewayConfig): VerificationKeys =>
        uri === undefined
          ? new FileKeys(jwtPublicKeyFile ?? '')
          : new JwksKeys({ uri, refreshMs: config.jwksRefreshSeconds * 1_000, lookupIntervalMs: config.jwksLookupSeconds * 1_000 }),
    },
    TokenAuthenticator,
    PodAuthenticator,
    AccessHook,
  ],
  exports: [AccessHook],
})
export class AuthModule {}
