import 'reflect-metadata';
import { AmqpServer } from '@reprise/messaging';
import { loadConfig, startService } from '@reprise/platform';
import { ProvisionerConfig } from '@reprise/provisioner/dist/provisioner.config';
import { ProvisionerModule } from '@reprise/provisioner/dist/provisioner.module';
import { NoopPortsModule } from './ports.module';

/** The provisioner as it is, with ports behind which nothing happens. */
const config = loadConfig(ProvisionerConfig, process.env, 'provisioner');

void startService({
  name: 'provisioner',
  module: ProvisionerModule.forRoot(config, NoopPortsModule),
  config,
  strategy: (app) => app.get(AmqpServer),
});
