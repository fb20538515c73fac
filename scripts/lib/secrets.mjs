// @ts-check
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A password that stands in a URL, a dotenv file, SQL and rabbitmq.conf without quoting. */
export function password() {
  return randomBytes(24).toString('hex');
}

/**
 * The key pair that signs tokens in the embedded mode, made once. The private key is put in place first: the public one alone
 * would let a later start believe that the pair is complete.
 * @param {string} folder
 */
export function signingKeys(folder) {
  const files = { privateKey: join(folder, 'signing.pem'), publicKey: join(folder, 'public.pem') };
  if (existsSync(files.privateKey) && existsSync(files.publicKey)) return files;
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  put(files.privateKey, pair.privateKey, 0o600);
  put(files.publicKey, pair.publicKey, 0o644);
  return files;
}

/** @param {string} file @param {string} text @param {number} mode */
function put(file, text, mode) {
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}
