import { loadConfig, startService } from '@reprise/platform';
import { GatewayConfig } from './gateway.config';
import { GatewayModule } from './gateway.module';
import { configure } from './http/configure';
import { BODY_LIMIT } from './http/json-body';

const config = loadConfig(GatewayConfig);

void startService({
  name: 'gateway',
  config,
  module: GatewayModule,
  http: { bodyLimit: BODY_LIMIT, trustedProxies: config.trustedProxies, requireHost: false },
  configure,
});
