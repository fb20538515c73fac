import { Module } from '@nestjs/common';
import { Billing } from './billing';
import { PostureService } from './posture.service';

@Module({ providers: [Billing, PostureService], exports: [Billing, PostureService] })
export class PostureModule {}
