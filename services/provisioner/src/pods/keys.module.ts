import { Global, Module } from '@nestjs/common';
import { ProvisionerConfig } from '../provisioner.config';
import { PodKeys } from './pod-keys';

/** The keys of pods, for whoever makes or calls them. */
@Global()
@Module({
  providers: [
    {
      provide: PodKeys,
      inject: [ProvisionerConfig],
      useFactory: ({ podTokenSecret, podTokenSecretPrevious }: ProvisionerConfig) => new PodKeys(podTokenSecret, podTokenSecretPrevious),
    },
  ],
  exports: [PodKeys],
})
export class KeysModule {}
