/** Exchanges and queues, for whoever makes them or looks at them and sends nothing. */
export { assertExchanges, assertQueue, type AssertQueueOptions, isStillTransient } from './topology/assert-topology';
export {
  type BindingSpec,
  deadQueueOf,
  DELIVERY_LIMIT,
  type ExchangeSpec,
  type QueueSpec,
  RETRY_DELAYS,
  type RetryDelay,
  retryQueueOf,
  type Topology,
  type TopologyNames,
} from './topology/topology';
