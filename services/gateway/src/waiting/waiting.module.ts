import { Module } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module';
import { Endings } from './endings';
import { WaitingRoom } from './waiting-room';
import { Waiting } from './waiting.service';

@Module({ imports: [MessagesModule], providers: [Waiting, WaitingRoom, Endings], exports: [Waiting] })
export class WaitingModule {}
