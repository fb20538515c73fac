import 'reflect-metadata';
import { AmqpServer } from '@reprise/messaging';
import { loadConfig, startService } from '@reprise/platform';
import { LifecycleConfig } from './lifecycle.config';
import { LifecycleModule } from './lifecycle.module';

const config = loadConfig(LifecycleConfig, process.env, 'lifecycle');
void startService({ name: 'lifecycle', module: LifecycleModule.forRoot(config), config, strategy: (app) => app.get(AmqpServer) });
