import { certificateProblem } from './certificate-problem';

const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

describe('certificateProblem', () => {
  it.each([
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'self-signed certificate in certificate chain',
      /not from an authority that DATABASE_CA_FILE names: self-signed/,
    ],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'IP: 127.0.0.2 is not in the list', /is for another host: IP: 127\.0\.0\.2/],
    ['CERT_HAS_EXPIRED', 'certificate has expired', /out of its time: certificate has expired/],
  ])('says of %s what to look at', (code, message, words) => {
    expect(certificateProblem(failure(code, message), 'DATABASE_CA_FILE')).toMatch(words);
  });

  it('leaves every other failure to others', () => {
    expect(certificateProblem(failure('ECONNREFUSED', 'refused'), 'DATABASE_CA_FILE')).toBeUndefined();
    expect(certificateProblem('no object', 'DATABASE_CA_FILE')).toBeUndefined();
  });
});
