import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { removeInstallation } from '../../services/provisioner/test/drivers/support/docker-host';
import type { StackOptions } from './stack';

/** A pod that is a container, as the engine tells of it. */
export interface ContainerPod {
  id: string;
  generation: number;
  running: boolean;
}

/** An installation of Reprise on a Docker engine, looked at with the engine's own command. */
export class DockerInstallation {
  readonly instance = `reprise-e2e-${randomBytes(4).toString('hex')}`;

  /** @param engine how the engine is reached, and the agent's image on it */
  constructor(private readonly engine: { host: string; agentImage: string }) {}

  /** What has a stack make its pods there. */
  get stackOptions(): StackOptions {
    return {
      gatewayHost: 'host.docker.internal',
      settings: {
        gateway: { HTTP_HOST: '0.0.0.0' },
        provisioner: {
          POD_DRIVER: 'docker',
          DOCKER_HOST: this.engine.host,
          DOCKER_INSTANCE: this.instance,
          DOCKER_NETWORK: this.instance,
          AGENT_IMAGE: this.engine.agentImage,
          POD_DEFAULT_MEMORY_MB: '512',
          RECONCILE_INTERVAL_SECONDS: '1',
        },
      },
    };
  }

  /** The pods of a workspace that there are, dead ones too. */
  async pods(workspaceId: string): Promise<ContainerPod[]> {
    const label = (name: string): string => `{{.Label "reprise.${name}"}}`;
    const out = await this.docker(
      ['ps', '--all', '--no-trunc', '--format', `{{.ID}} ${label('generation')} {{.State}}`],
      [...this.ours, '--filter', `label=reprise.workspace=${workspaceId}`],
    );
    return out.map((line) => {
      const [id = '', generation, state] = line.split(' ');
      return { id, generation: Number(generation), running: state === 'running' };
    });
  }

  /** The one pod of a workspace. @throws Error where there is none, or more than one */
  async pod(workspaceId: string): Promise<ContainerPod> {
    const [pod, ...others] = await this.pods(workspaceId);
    if (!pod || others.length > 0) throw new Error(`${workspaceId} has ${pod ? others.length + 1 : 0} pods`);
    return pod;
  }

  /** Ends it at once, past all services. */
  async kill({ id }: ContainerPod): Promise<void> {
    await this.docker(['kill', id]);
  }

  /** Runs a program in it, as root. @returns the lines that it writes */
  exec({ id }: ContainerPod, ...command: string[]): Promise<string[]> {
    return this.docker(['exec', '--user', '0', id, ...command]);
  }

  /** What the engine keeps for a workspace, by name. */
  async volumes(workspaceId: string): Promise<string[]> {
    return this.docker(['volume', 'ls', '--quiet'], [...this.ours, '--filter', `label=reprise.workspace=${workspaceId}`]);
  }

  /** Takes everything of it away. */
  async remove(): Promise<void> {
    await removeInstallation(new Docker({ socketPath: new URL(this.engine.host).pathname, host: undefined }), this.instance);
  }

  private get ours(): string[] {
    return ['--filter', `label=reprise.instance=${this.instance}`];
  }

  private async docker(command: readonly string[], filters: readonly string[] = []): Promise<string[]> {
    const env = { ...process.env, DOCKER_HOST: this.engine.host };
    const { stdout } = await promisify(execFile)('docker', [...command, ...filters], { env, maxBuffer: 16 * 1024 * 1024 });
    return stdout.split('\n').filter((line) => line !== '');
  }
}
