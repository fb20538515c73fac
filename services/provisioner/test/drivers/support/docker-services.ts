import type Docker from 'dockerode';
import type { DockerHost } from './docker-host';

/** How the agent's image runs a program of ours. */
const NODE = ['/reprise/lib/ld.so', '--library-path', '/reprise/lib', '/reprise/bin/node', '-e'];

/** Ports that a container listens on: on all its addresses, or at those of a name alone. */
export interface Listens {
  readonly everywhere?: readonly number[];
  readonly at?: { readonly name: string; readonly ports: readonly number[] };
}

/** Containers in the place of Reprise's own and of its servers, in a network as `docker compose` makes one. */
export class DockerServices {
  readonly backend: string;

  constructor(private readonly host: DockerHost) {
    this.backend = `${host.instance}_backend`;
  }

  async open(): Promise<void> {
    await this.host.docker.createNetwork({ Name: this.backend, Driver: 'bridge', Labels: { 'reprise.instance': this.host.instance } });
  }

  /** @param alias its name in the backend @param inPods whether the driver has it join the networks of pods */
  async start(alias: string, listens: Listens, { inPods }: { inPods: boolean }): Promise<Docker.Container> {
    const { at = { name: alias, ports: [] }, everywhere = [] } = listens;
    const program = `
      const { createServer } = require('node:net');
      const listen = (port, host) => createServer((socket) => socket.end()).listen(port, host);
      for (const port of ${JSON.stringify(everywhere)}) listen(port, '0.0.0.0');
      require('node:dns').lookup('${at.name}', (error, address) => {
        if (error) throw error;
        for (const port of ${JSON.stringify(at.ports)}) listen(port, address);
      });
      setInterval(() => {}, 1000);`;
    const container = await this.host.docker.createContainer({
      name: `${this.host.instance}-${alias}`,
      Image: this.host.agentImage,
      Entrypoint: [...NODE, program],
      Labels: { 'reprise.instance': this.host.instance, ...(inPods ? { 'reprise.pods': this.host.instance } : {}) },
      HostConfig: { NetworkMode: this.backend, Init: true },
      NetworkingConfig: { EndpointsConfig: { [this.backend]: { Aliases: [alias, `${alias}-backend`] } } },
    });
    await container.start();
    return container;
  }

  async addressOf(container: Docker.Container, network = this.backend): Promise<string> {
    return (await container.inspect()).NetworkSettings.Networks[network]?.IPAddress ?? '';
  }

  /** What a program of this container's Node prints. */
  async run(container: Docker.Container, program: string): Promise<string> {
    const exec = await container.exec({ Cmd: [...NODE, program], AttachStdout: true, Tty: true, Env: ['NO_COLOR=1'] });
    const stream = await exec.start({ Tty: true });
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    return Buffer.concat(pieces).toString('utf8').trim();
  }
}
