import { Module } from '@nestjs/common';
import { BillingModule } from '../billing/billing.module';
import { MessagesModule } from '../messages/messages.module';
import { Lifecycle } from './lifecycle.service';

@Module({ imports: [MessagesModule, BillingModule], providers: [Lifecycle], exports: [Lifecycle] })
export class CommandsModule {}
