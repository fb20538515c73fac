import { hostname } from 'node:os';
import { listenAddress } from './listen-address';

describe('the address that a service listens on', () => {
  // Addresses for documentation, which no machine has.
  const others = ['198.51.100.1', '203.0.113.1'];
  const to =
    (...addresses: string[]) =>
    () =>
      Promise.resolve(addresses.map((address) => ({ address })));

  it.each(['0.0.0.0', '127.0.0.1', '::', '203.0.113.1'])('is %s where that is what the setting says', async (host) => {
    expect(await listenAddress('HTTP_HOST', host)).toBe(host);
  });

  it('is the address of a name, as this machine resolves it', async () => {
    expect(['127.0.0.1', '::1']).toContain(await listenAddress('HTTP_HOST', 'localhost'));
    expect(await listenAddress('HTTP_HOST', hostname())).not.toBe(hostname());
  });

  it('is, of a name that others have as well, the one of this machine', async () => {
    expect(await listenAddress('METRICS_HOST', 'provisioner', to(others[0]!, '127.0.0.1', others[1]!))).toBe('127.0.0.1');
  });

  it('is refused, with the setting and why, where there is none', async () => {
    await expect(listenAddress('METRICS_HOST', 'no-such-name.invalid')).rejects.toThrow(
      /^METRICS_HOST is no-such-name\.invalid, which cannot be resolved: E\w+$/,
    );
    await expect(listenAddress('METRICS_HOST', 'elsewhere', to(...others))).rejects.toThrow(
      'METRICS_HOST is elsewhere, which resolves to 198.51.100.1, 203.0.113.1: this machine has no such address to listen on',
    );
  });
});
