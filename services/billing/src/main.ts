import { AmqpServer } from '@reprise/messaging';
import { loadConfig, startService } from '@reprise/platform';
import { BillingConfig } from './billing.config';
import { BillingModule } from './billing.module';

const config = loadConfig(BillingConfig);

void startService({ name: 'billing', config, module: BillingModule.forRoot(config), strategy: (app) => app.get(AmqpServer) });
