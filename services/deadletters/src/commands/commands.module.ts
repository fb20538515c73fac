import { Module } from '@nestjs/common';
import { AnswersRepository } from './answers.repository';
import { OperatorCommands } from './operator-commands';

@Module({ providers: [AnswersRepository, OperatorCommands], exports: [OperatorCommands] })
export class CommandsModule {}
