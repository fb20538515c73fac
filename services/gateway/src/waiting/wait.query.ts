import { Describes } from '../docs/describes.decorator';
import { QueryInteger } from '../input/query.decorators';

@Describes<WaitQuery>({ wait: 'How many seconds to wait for its end.' })
export class WaitQuery {
  @QueryInteger(0, 60)
  wait = 0;
}
