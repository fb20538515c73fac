import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../support';

export type Server = 'database' | 'broker';

/** PostgreSQL and RabbitMQ of the run, which nobody else uses: they can be stopped, killed and started again with what is on their disks. */
export class Servers {
  /** @param state the folder that `scripts/infra.mjs` brought them up in */
  constructor(private readonly state: string) {}

  start(server: Server): Promise<void> {
    return this.infra('up', server);
  }

  /** In order: connections are told. */
  stop(server: Server): Promise<void> {
    return this.infra('down', server);
  }

  /** With SIGKILL, every process of it. */
  kill(server: Server): Promise<void> {
    return this.infra('kill', server);
  }

  private async infra(verb: string, server: Server): Promise<void> {
    await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/infra.mjs'), verb, server, '--state', this.state]);
  }
}
