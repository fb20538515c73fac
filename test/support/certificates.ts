import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An authority of a test's own, made by openssl, as an operator would. */
export class Authority {
  readonly file: string;

  constructor(
    private readonly folder: string,
    name: string,
  ) {
    mkdirSync(folder, { recursive: true });
    this.file = join(folder, 'ca.crt');
    const subject = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
    this.openssl(['req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', ...subject]);
  }

  /** `server.crt` and `server.key` in the authority's folder, for a server that is reached under that name. @param name such as `IP:127.0.0.1` */
  certify(name: string): void {
    this.openssl(['req', ...NEW_KEY, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=a server of Reprise']);
    writeFileSync(join(this.folder, 'server.ext'), `subjectAltName=${name}\nextendedKeyUsage=serverAuth\n`);
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'server.ext'];
    this.openssl(['x509', '-req', '-in', 'server.csr', ...by, '-out', 'server.crt']);
    // A test's server may run as another user than the test.
    chmodSync(join(this.folder, 'server.key'), 0o644);
  }

  private openssl(args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }
}

const NEW_KEY = ['-newkey', 'rsa:2048', '-nodes'];
