import { ORG_ID } from '@reprise/contracts';
import { DiffersFrom, Env, IsUrlOf, ServiceConfig } from '@reprise/platform';
import { ArrayNotEmpty, IsArray, IsIn, IsInt, IsNotEmpty, IsOptional, Matches, Max, Min, MinLength, ValidateIf } from 'class-validator';

/** Signatures that only the issuer can make. With a shared secret, or none, whoever can check a token could forge one. */
export const ASYMMETRIC_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const;
export type AsymmetricAlgorithm = (typeof ASYMMETRIC_ALGORITHMS)[number];

/** What the gateway is told. */
export class GatewayConfig extends ServiceConfig {
  @Env('JWT_ISSUER', { description: 'The `iss` that a token must have.', example: 'https://login.example.com/' })
  @IsNotEmpty()
  readonly jwtIssuer!: string;

  @Env('JWT_AUDIENCE', { description: 'The `aud` that a token must name.', example: 'reprise' })
  @IsNotEmpty()
  readonly jwtAudience!: string;

  @Env('OPERATOR_ORGS', {
    description:
      'The organizations whose tokens may have the scopes of operators, `ops:read` and `ops:write`; in tokens of others these count for nothing.',
    default: [],
  })
  @IsArray()
  @Matches(ORG_ID, { each: true })
  readonly operatorOrgs!: string[];

  @Env('OPERATOR_AUDIENCE', {
    description:
      'An `aud` of its own for operators. A token that names it may have their scopes, whatever its organization; without JWT_AUDIENCE it opens nothing else.',
    example: 'reprise-operators',
  })
  @IsOptional()
  @IsNotEmpty()
  @DiffersFrom('jwtAudience', { message: 'operatorAudience must not be the JWT_AUDIENCE, which every tenant has' })
  readonly operatorAudience?: string;

  @Env('JWT_ALGORITHMS', { description: 'The signature algorithms that a token may have.', default: ['RS256', 'ES256'] })
  @IsArray()
  @ArrayNotEmpty()
  @IsIn(ASYMMETRIC_ALGORITHMS, { each: true })
  readonly jwtAlgorithms!: AsymmetricAlgorithm[];

  @Env('JWT_JWKS_URI', {
    description: 'Where the issuer publishes its keys; goes before JWT_PUBLIC_KEY_FILE.',
    example: 'https://login.example.com/.well-known/jwks.json',
  })
  @IsOptional()
  @IsUrlOf(['https', 'http'])
  readonly jwtJwksUri?: string;

  @Env('JWKS_REFRESH_SECONDS', {
    description: 'How often the keys at JWT_JWKS_URI are fetched again. The last ones stay in use while they cannot be fetched.',
    default: 300,
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  readonly jwksRefreshSeconds!: number;

  @Env('JWKS_LOOKUP_SECONDS', {
    description: 'How long after a fetch from JWT_JWKS_URI a token with an unknown key may cause the next one.',
    default: 10,
  })
  @IsInt()
  @Min(1)
  @Max(3_600)
  readonly jwksLookupSeconds!: number;

  @Env('JWT_PUBLIC_KEY_FILE', {
    description: "The issuer's public key or keys where there is no JWT_JWKS_URI: a file in PEM, or a JSON Web Key Set.",
  })
  @ValidateIf((config: GatewayConfig) => config.jwtJwksUri === undefined)
  @IsNotEmpty()
  readonly jwtPublicKeyFile?: string;

  @Env('JWT_CLOCK_TOLERANCE_SECONDS', { description: "How far the issuer's clock may be from ours.", default: 0 })
  @IsInt()
  @Min(0)
  @Max(300)
  readonly jwtClockToleranceSeconds!: number;

  @Env('POD_TOKEN_SECRET', { description: 'Checks the tokens of pods; the same as the provisioner has.', secret: true })
  @MinLength(16)
  readonly podTokenSecret!: string;

  @Env('POD_TOKEN_SECRET_PREVIOUS', {
    description: 'While POD_TOKEN_SECRET is exchanged: the other one. Reports of pods that were made with it are still taken.',
    secret: true,
  })
  @IsOptional()
  @MinLength(16)
  readonly podTokenSecretPrevious?: string;

  @Env('SECRETS_KEY', {
    description: "Encrypts the values of roles' `secret_env`; the same as the provisioner has. Make it at random: `openssl rand -hex 32`.",
    secret: true,
  })
  @MinLength(32)
  readonly secretsKey!: string;

  @Env('COMMAND_TIMEOUT_MS', { description: 'How long a command may take to be answered before the caller gets 503.', default: 10_000 })
  @IsInt()
  @Min(100)
  @Max(60_000)
  readonly commandTimeoutMs!: number;

  @Env('QUERY_TIMEOUT_MS', { description: 'How long a query may take to be answered before the caller gets 503.', default: 5_000 })
  @IsInt()
  @Min(100)
  @Max(60_000)
  readonly queryTimeoutMs!: number;

  @Env('RESEND_EVERY_MS', { description: 'How long to wait for an answer before the same message is sent again.', default: 2_000 })
  @IsInt()
  @Min(50)
  @Max(60_000)
  readonly resendEveryMs!: number;

  @Env('RATE_LIMIT_PER_MINUTE', {
    description:
      'How many requests one caller, and how many bad tokens one address, may send to one instance in a minute, which begins with the first after the last one; 0 is no limit.',
    default: 6_000,
  })
  @IsInt()
  @Min(0)
  @Max(60_000)
  readonly rateLimitPerMinute!: number;

  @Env('WAITS_PER_CALLER', {
    description: 'How many requests with `?wait=` one caller may have open at one instance; more are answered 429.',
    default: 100,
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  readonly waitsPerCaller!: number;

  @Env('WAITS_IN_ALL', {
    description: 'How many requests with `?wait=` one instance has open for all callers together; more are answered 429.',
    default: 5_000,
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  readonly waitsInAll!: number;

  @Env('SERVE_DOCS', {
    description: 'Whether the description of the API is served, at `/docs` for people and at `/openapi.json` for programs.',
    default: true,
  })
  readonly serveDocs!: boolean;

  @Env('TRUSTED_PROXIES', {
    description:
      'How many proxies of yours every request comes through. So many addresses at the end of `X-Forwarded-For` are believed, none that the caller wrote; with 0 the header is not read.',
    default: 0,
  })
  @IsInt()
  @Min(0)
  @Max(10)
  readonly trustedProxies!: number;
}
