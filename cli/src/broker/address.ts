import type { Environment } from '../environment';
import { wrongUsage } from '../failure';
import { VHOST } from './definitions';

/** Where an instance's messages are: the administrator's URL, complete with the virtual host. */
export interface BrokerAddress {
  url: string;
  vhost: string;
  user: string;
  /** The authority that the broker's certificate must come from: `AMQP_CA_FILE`. */
  caFile: string | undefined;
}

/**
 * `AMQP_URL` with the instance's own virtual host: the one in the URL's path, else `REPRISE_VHOST`, else `reprise`. Only where there is no
 * management API to make one with, it is the broker's own default.
 */
export function brokerAddress(environment: Environment): BrokerAddress {
  const text = environment.need('AMQP_URL', 'the message broker');
  if (!URL.canParse(text)) throw wrongUsage('AMQP_URL must be a URL like amqp://user:password@host:5672/vhost');
  const url = new URL(text);
  const inPath = url.pathname.length > 1 ? decodeURIComponent(url.pathname.slice(1)) : undefined;
  const vhost = inPath ?? environment.get('REPRISE_VHOST') ?? (environment.get('RABBITMQ_MANAGEMENT_URL') ? VHOST : '/');
  url.pathname = `/${encodeURIComponent(vhost)}`;
  return { url: url.toString(), vhost, user: decodeURIComponent(url.username) || 'guest', caFile: environment.get('AMQP_CA_FILE') };
}
