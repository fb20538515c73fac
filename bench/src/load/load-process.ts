import { serve } from '../peers/helper';
import type { LoadOrder } from './load-order';
import { paced } from './paced';
import { unpaced } from './unpaced';

/** Sends load from a process of its own, so that the time that it takes is nobody else's. */
serve((order: LoadOrder) => (order.perSecond === undefined ? unpaced(order) : paced(order)));
