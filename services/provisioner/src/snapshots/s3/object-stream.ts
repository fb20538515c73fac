import { finished, PassThrough, type Readable } from 'node:stream';
import { asStoreError } from './s3-errors';

const BUFFERED = 256 * 1024;

/** The body of an answer, whose failure is the store's own. Node tells a body that is shorter than its announced length as a failure. */
export function readableOf(body: Readable, key: string): Readable {
  const object = new PassThrough({ highWaterMark: BUFFERED });
  finished(body, (error) => error && object.destroy(asStoreError(error, `cannot read ${key}`)));
  // Who goes away early must not keep the connection.
  finished(object, (error) => error && body.destroy());
  return body.pipe(object);
}
