import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/**
 * Whether this process wants work at all, whatever its dependencies say: not before its start is complete, and not
 * once it has been told to stop. Open from the beginning unless someone holds it.
 */
@Injectable()
export class ReadinessGate implements OnModuleDestroy {
  private current: 'starting' | 'open' | 'stopping' = 'open';

  get state(): 'starting' | 'open' | 'stopping' {
    return this.current;
  }

  /** Not ready until {@link open} is called. */
  hold(): void {
    if (this.current === 'open') this.current = 'starting';
  }

  open(): void {
    if (this.current === 'starting') this.current = 'open';
  }

  /** Not ready again for the rest of the process's life. */
  close(): void {
    this.current = 'stopping';
  }

  onModuleDestroy(): void {
    this.close();
  }
}
