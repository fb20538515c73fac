import { Module } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module';
import { AgentsController } from './agents.controller';
import { AgentsService } from './agents.service';

@Module({ imports: [MessagesModule], controllers: [AgentsController], providers: [AgentsService] })
export class AgentsModule {}
