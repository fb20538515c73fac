import { Module } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module';
import { DeadLettersController } from './dead-letters.controller';
import { Operators } from './operators.service';
import { ReplaysController } from './replays.controller';

@Module({ imports: [MessagesModule], controllers: [DeadLettersController, ReplaysController], providers: [Operators] })
export class DeadLettersModule {}
