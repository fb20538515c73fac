import { Module } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module';
import { PostureService } from './posture.service';

@Module({ imports: [MessagesModule], providers: [PostureService], exports: [PostureService] })
export class BillingModule {}
