import { inTransaction } from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** Where a transaction begins and ends. The runners use it, so that no other file has to know the data source. */
@Injectable()
export class UnitOfWork {
  constructor(private readonly dataSource: DataSource) {}

  /** For what needs no transaction: each statement is one of its own. */
  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /** Runs the work in one transaction, again from its beginning where it lost against a concurrent one. */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return inTransaction(this.dataSource, work);
  }
}
