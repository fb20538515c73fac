import { Module } from '@nestjs/common';
import { AdoptionController } from './adoption.controller';
import { AdoptionRepository } from './adoption.repository';
import { Adoption } from './adoption.service';

@Module({ controllers: [AdoptionController], providers: [Adoption, AdoptionRepository], exports: [Adoption] })
export class AdoptionModule {}
