export { waitFor } from '../../../../libs/messaging/test/support';
export { ALL, type Answered, type Call, GatewayUnderTest, POD_SECRET } from './gateway';
export { AUDIENCE, ISSUER, TestIssuer } from './issuer';
export { type Received, Refuse, SILENCE, StandIn } from './stand-in';
export { ROUTES, type Route } from './routes';
export { expectError } from './errors';
export { chunked, raw } from './raw-http';
