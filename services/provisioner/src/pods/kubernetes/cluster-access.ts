import { request as httpRequest, type ClientRequest, type RequestOptions } from 'node:http';
import { Agent, request as httpsRequest, type AgentOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node' with { 'resolution-mode': 'import' };

/** Where the API is, and how a request to it is begun, with the identity of this process. */
export interface ClusterAccess {
  readonly server: URL;
  begin(url: URL, options: { method: string; headers: Record<string, string>; signal: AbortSignal }): Promise<ClientRequest>;
}

type ClusterOptions = Pick<AgentOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername'>;

const IDLE_MS = 60_000;

/**
 * The official client reads the configuration and knows every way to log in (a mounted token that is renewed, certificates, a helper program);
 * each request asks it anew. The connections are ours, and kept: the client opens one for each request.
 */
export class ConfiguredCluster implements ClusterAccess {
  readonly server: URL;
  private readonly agents = new Map<string, Agent>();

  /** @param kubeconfig a file; null for the account that the cluster gives its own pods */
  static async load(kubeconfig: string | null): Promise<ConfiguredCluster> {
    // Loaded here alone: it is an ES module, and takes some 70 MB that other drivers do not need.
    const client = await import('@kubernetes/client-node');
    const config = new client.KubeConfig();
    if (kubeconfig === null && !process.env.KUBERNETES_SERVICE_HOST) {
      throw new Error('KUBECONFIG is not set, and this process is in no cluster of its own');
    }
    try {
      if (kubeconfig === null) config.loadFromCluster();
      else config.loadFromFile(kubeconfig);
    } catch (error) {
      throw new Error(`KUBECONFIG cannot be read: ${(error as Error).message}`, { cause: error });
    }
    return new ConfiguredCluster(config);
  }

  constructor(private readonly config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    if (!cluster) throw new Error('KUBECONFIG names no current cluster');
    this.server = new URL(cluster.server);
  }

  async begin(
    url: URL,
    { method, headers, signal }: { method: string; headers: Record<string, string>; signal: AbortSignal },
  ): Promise<ClientRequest> {
    const given = await this.requestOptions();
    const options = { method, headers: { ...headers, ...(given.headers as Record<string, string> | undefined) }, signal, auth: given.auth };
    if (url.protocol === 'http:') return httpRequest(url, options);
    // A cluster behind a proxy is reached by the client's own agent.
    const agent = this.config.getCurrentCluster()?.proxyUrl ? given.agent : this.agentFor(given);
    return httpsRequest(url, { ...options, agent });
  }

  /** What makes a request one of ours: the login of the moment, and the certificates. */
  async requestOptions(): Promise<RequestOptions & ClusterOptions> {
    const given: RequestOptions & ClusterOptions = {};
    await this.config.applyToHTTPSOptions(given);
    return given;
  }

  /** One for each set of certificates: a login that renews its own gets a new one. */
  private agentFor({ ca, cert, key, passphrase, rejectUnauthorized, servername }: ClusterOptions): Agent {
    const options = { ca, cert, key, passphrase, rejectUnauthorized, servername };
    const id = JSON.stringify(options);
    const known = this.agents.get(id);
    if (known) return known;
    for (const old of this.agents.values()) old.destroy();
    this.agents.clear();
    // An API server closes what is idle for 90 s: closed here before that, no request meets one that is being closed.
    const agent = new Agent({ ...options, keepAlive: true, timeout: IDLE_MS });
    this.agents.set(id, agent);
    return agent;
  }
}
