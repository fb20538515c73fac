import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Dependency } from '@reprise/messaging';

/** Billing as lifecycle depends on it: commands that have to ask it wait while it is away. */
@Injectable()
export class Billing extends Dependency implements OnApplicationShutdown {
  constructor() {
    super('billing');
  }

  onApplicationShutdown(): void {
    this.stop();
  }
}
