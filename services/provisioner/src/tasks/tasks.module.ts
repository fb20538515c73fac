import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { TaskDelivery } from './task-delivery';
import { TasksController } from './tasks.controller';
import { TasksRepository } from './tasks.repository';
import { TasksService } from './tasks.service';

@Module({ imports: [InventoryModule], controllers: [TasksController], providers: [TaskDelivery, TasksRepository, TasksService] })
export class TasksModule {}
