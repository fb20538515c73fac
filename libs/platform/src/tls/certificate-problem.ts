/** What Node's TLS says of a certificate that it does not accept (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
const UNTRUSTED = new Set([
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_SIGNATURE_FAILURE'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_UNTRUSTED', 'CERT_CHAIN_TOO_LONG', 'INVALID_CA'],
]);
const OUT_OF_TIME = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

/**
 * Why a server's certificate is not accepted, in words that say what to look at; undefined where the failure is another one.
 * @param caVariable the variable that names the authority
 */
export function certificateProblem(error: unknown, caVariable: string): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string') return undefined;
  const words = error instanceof Error ? error.message : error.code;
  if (error.code === WRONG_NAME) return `the server's certificate is for another host: ${words}`;
  if (OUT_OF_TIME.has(error.code)) return `the server's certificate is out of its time: ${words}`;
  return UNTRUSTED.has(error.code) ? `the server's certificate is not from an authority that ${caVariable} names: ${words}` : undefined;
}
