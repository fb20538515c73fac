import type { KeyObject } from 'node:crypto';
import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { fetchKeySet } from './fetch-key-set';
import { chooseKey, type PublicKey, readKeySet } from './key-set';
import { KeysUnavailableError, UnknownKeyError, VerificationKeys } from './verification-keys';

export interface JwksOptions {
  /** Where the issuer publishes its keys. */
  uri: string;
  /** How often the whole set is fetched. */
  refreshMs: number;
  /** How long after a fetch has begun an unknown key may cause another. */
  lookupIntervalMs: number;
  timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 500;

/**
 * The keys that an issuer publishes (RFC 7517), all of them, fetched in the background. They stay until a later set replaces them: a fetch that
 * fails takes nothing away. A token with an unknown key causes a fetch that all such tokens share, at most one an interval; it never holds up
 * a token whose key is known.
 */
export class JwksKeys extends VerificationKeys implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(JwksKeys.name);
  private readonly stopping = new AbortController();
  /** Undefined until the first set has come. */
  private keys: readonly PublicKey[] | undefined;
  private fetching: Promise<void> | undefined;
  private begunAt = -Infinity;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: JwksOptions) {
    super();
  }

  onModuleInit(): void {
    void this.fetch();
  }

  onApplicationShutdown(): void {
    this.stopping.abort();
    clearTimeout(this.timer);
  }

  override async keyFor(kid: string | undefined, alg?: string): Promise<KeyObject> {
    const found = this.find(kid, alg) ?? (await this.look(kid, alg));
    if (found) return found.key;
    if (!this.keys) throw new KeysUnavailableError(`The issuer's keys cannot be had from ${this.options.uri}`);
    throw new UnknownKeyError('The issuer has no one key for the token');
  }

  private find(kid: string | undefined, alg: string | undefined): PublicKey | undefined {
    return this.keys && chooseKey(this.keys, kid, alg);
  }

  private async look(kid: string | undefined, alg: string | undefined): Promise<PublicKey | undefined> {
    if (!this.fetching && performance.now() - this.begunAt < this.options.lookupIntervalMs) return undefined;
    await this.fetch();
    return this.find(kid, alg);
  }

  /** One fetch for all who ask meanwhile. Never rejects. */
  private fetch(): Promise<void> {
    this.fetching ??= this.replaceKeys().finally(() => {
      this.fetching = undefined;
      this.schedule();
    });
    return this.fetching;
  }

  private async replaceKeys(): Promise<void> {
    const { uri, timeoutMs = TIMEOUT_MS } = this.options;
    this.begunAt = performance.now();
    try {
      const next = readKeySet(await fetchKeySet(uri, timeoutMs, this.stopping.signal));
      this.keys = next.map((each) => this.sameAsBefore(each));
      if (this.failures > 0) this.logger.log({ keys: next.length }, "The issuer's keys can be had again");
      this.failures = 0;
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.failures += 1;
      const { message: reason } = error as Error;
      this.logger.warn({ uri, reason, failures: this.failures, keys_kept: this.keys?.length ?? 0 }, "Failed to fetch the issuer's keys");
    }
  }

  /** Tokens that were found good remember the key object: while the issuer has the key, the object is the same. */
  private sameAsBefore(next: PublicKey): PublicKey {
    const before = this.keys?.find(({ kid, alg, key }) => kid === next.kid && alg === next.alg && key.equals(next.key));
    return before ?? next;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.stopping.signal.aborted) return;
    // A little early, so that replicas do not all ask at once.
    this.timer = setTimeout(() => void this.fetch(), this.delayMs() * (0.9 + Math.random() * 0.1)).unref();
  }

  private delayMs(): number {
    const { refreshMs, lookupIntervalMs } = this.options;
    if (this.failures === 0) return refreshMs;
    return Math.min(refreshMs, lookupIntervalMs, FIRST_RETRY_MS * 2 ** Math.min(this.failures - 1, 10));
  }
}
