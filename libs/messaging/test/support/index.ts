export { BrokerPeer, type Properties } from './broker-peer';
export { TcpProxy } from './tcp-proxy';
export { TestBroker } from './test-broker';
export { TestDatabase } from './test-database';
export { waitFor } from './wait-for';
export { nestedArrays, replaceOnWire, sendAsArray } from './wire';
