import { AmqpServer } from '@reprise/messaging';
import { loadConfig, startService } from '@reprise/platform';
import { DeadlettersConfig } from './deadletters.config';
import { DeadlettersModule } from './deadletters.module';

const config = loadConfig(DeadlettersConfig);

void startService({ name: 'deadletters', config, module: DeadlettersModule.forRoot(config), strategy: (app) => app.get(AmqpServer) });
