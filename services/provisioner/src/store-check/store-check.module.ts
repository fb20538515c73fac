import { Module } from '@nestjs/common';
import { StoreCheck } from './store-check';

@Module({ providers: [StoreCheck], exports: [StoreCheck] })
export class StoreCheckModule {}
