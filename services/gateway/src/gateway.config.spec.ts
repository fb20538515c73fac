import { ConfigError, parseConfig } from '@reprise/platform';
import { GatewayConfig } from './gateway.config';

const RIGHT = {
  AMQP_URL: 'amqp://u:p@localhost:5672/v',
  JWT_ISSUER: 'https://issuer.test/',
  JWT_AUDIENCE: 'reprise',
  JWT_PUBLIC_KEY_FILE: '/keys/issuer.pem',
  POD_TOKEN_SECRET: 'a secret of some length',
  SECRETS_KEY: 'a secret of at least 32 characters',
};

function problemsOf(more: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseConfig(GatewayConfig, { ...RIGHT, ...more });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('the config of the gateway', () => {
  it('takes asymmetric signatures only', () => {
    expect(parseConfig(GatewayConfig, RIGHT).jwtAlgorithms).toEqual(['RS256', 'ES256']);
    expect(problemsOf({ JWT_ALGORITHMS: 'RS256, PS512' })).toEqual([]);
    for (const wrong of ['HS256', 'RS256,HS512', 'none', 'RS256,none', ',']) expect(problemsOf({ JWT_ALGORITHMS: wrong })).toHaveLength(1);
  });

  it('tells operators from tenants', () => {
    expect(parseConfig(GatewayConfig, RIGHT)).toMatchObject({ operatorOrgs: [], serveDocs: true });
    expect(parseConfig(GatewayConfig, { ...RIGHT, OPERATOR_ORGS: 'ops, sre' }).operatorOrgs).toEqual(['ops', 'sre']);
    expect(problemsOf({ OPERATOR_AUDIENCE: 'operators' })).toEqual([]);
    expect(problemsOf({ OPERATOR_AUDIENCE: 'reprise' })).toEqual([
      expect.stringMatching(/^OPERATOR_AUDIENCE must not be the JWT_AUDIENCE/),
    ]);
    expect(problemsOf({ OPERATOR_ORGS: 'no name' })).toHaveLength(1);
  });

  it('needs the keys of the issuer from somewhere', () => {
    expect(problemsOf({ JWT_PUBLIC_KEY_FILE: '' })).toHaveLength(1);
    expect(problemsOf({ JWT_PUBLIC_KEY_FILE: '', JWT_JWKS_URI: 'https://issuer.test/jwks.json' })).toEqual([]);
    expect(problemsOf({ JWT_JWKS_URI: 'not an address' })).toHaveLength(1);
  });
});
