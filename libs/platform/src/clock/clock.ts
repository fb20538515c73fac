import { Injectable } from '@nestjs/common';

/** The only source of the present time; inject it, so that a test can say what time it is. */
@Injectable()
export class Clock {
  /** The present moment. Every call returns a new Date, which the caller may keep. */
  now(): Date {
    return new Date();
  }
}
