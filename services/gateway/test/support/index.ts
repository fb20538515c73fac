export * from './ops-routes';
export { ALL, type Answered, type Call, GatewayUnderTest, POD_SECRET, SECRETS_KEY } from './gateway';
export { AUDIENCE, ISSUER, TestIssuer } from './issuer';
export { KeyServer } from './key-server';
export { ROUTES, type Route } from './routes';
export { abandon, chunked, converse, raw, type RawAnswer } from './raw-http';
export { expectError } from './errors';
export { Fail, type Received, Refuse, SILENCE, StandIn } from './stand-in';
export { waitFor } from '../../../../libs/messaging/test/support';
