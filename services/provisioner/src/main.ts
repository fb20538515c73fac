import { AmqpServer } from '@reprise/messaging';
import { loadConfig, startService } from '@reprise/platform';
import { ProvisionerConfig } from './provisioner.config';
import { ProvisionerModule } from './provisioner.module';

const config = loadConfig(ProvisionerConfig, process.env, 'provisioner');

void startService({
  name: 'provisioner',
  module: ProvisionerModule.forRoot(config),
  config,
  strategy: (app) => app.get(AmqpServer),
});
