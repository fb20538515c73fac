import { IsIn, IsInt, IsOptional, Matches, Max, Min, MinLength, ValidateBy, ValidateIf } from 'class-validator';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseServiceConfig } from './database.config';
import { describeConfig } from './describe-config';
import { Env } from './env.decorator';
import { loadConfig } from './load-config';
import { ConfigError, parseConfig } from './parse-config';
import { IsUrlOf } from './rules';
import { ServiceConfig } from './service.config';

type Colour = 'red' | 'blue';

class SampleConfig extends ServiceConfig {
  @Env('HTTP_PORT', { description: 'The port of the sample.', default: 8099 })
  declare readonly httpPort: number;

  @Env('TOKEN_SECRET', { description: 'Signs tokens.', secret: true })
  @MinLength(16)
  readonly tokenSecret!: string;

  @Env('COLOUR', { description: 'A colour.', default: 'red', type: 'text' })
  @IsIn(['red', 'blue'])
  readonly colour!: Colour;

  @Env('STRICT', { description: 'Whether it is strict.', default: false })
  readonly strict!: boolean;

  @Env('HOSTS', { description: 'Hosts.', default: [] })
  readonly hosts!: readonly string[];

  @Env('RATIO', { description: 'A ratio.', default: 0.5 })
  @Min(0)
  @Max(1)
  readonly ratio!: number;

  @Env('NOTE', { description: 'A note.' })
  @IsOptional()
  @MinLength(2)
  readonly note?: string;

  @Env('BLUE_SHADE', { description: 'The shade, with COLOUR=blue.' })
  @ValidateIf((config: SampleConfig) => config.colour === 'blue')
  @Matches(/^[a-z]+$/)
  readonly blueShade?: string;
}

const RIGHT = { AMQP_URL: 'amqp://u:hidden@localhost:5672/v', TOKEN_SECRET: 'a-secret-of-some-length' };

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseConfig(SampleConfig, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseConfig', () => {
  it('fills in defaults and converts text to the declared types', () => {
    const env = { ...RIGHT, HTTP_PORT: '9000', STRICT: 'true', HOSTS: 'a, b,,c', RATIO: '0.25', NOTE: 'hi', COLOUR: 'red' };
    const config = parseConfig(SampleConfig, env);
    expect(config).toMatchObject({ httpPort: 9000, strict: true, hosts: ['a', 'b', 'c'], ratio: 0.25, note: 'hi', colour: 'red' });
    expect(config).toMatchObject({ httpHost: '127.0.0.1', logLevel: 'info', logFormat: 'json', shutdownTimeoutSeconds: 25 });
    expect(config).toBeInstanceOf(SampleConfig);
  });

  it('takes the default of the subclass, and keeps the rules of the base class', () => {
    expect(parseConfig(SampleConfig, RIGHT).httpPort).toBe(8099);
    expect(problemsOf({ ...RIGHT, HTTP_PORT: '0' })).toEqual(['HTTP_PORT must be an integer between 1 and 65535 (got "0")']);
  });

  it('returns an instance that nobody can change', () => {
    const config = parseConfig(SampleConfig, { ...RIGHT, HOSTS: 'a' });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.hosts)).toBe(true);
  });

  it('ignores variables that it does not know, and takes an empty one as unset', () => {
    const config = parseConfig(SampleConfig, { ...RIGHT, UNKNOWN: 'x', HTTP_PORT: '', NOTE: '  ' });
    expect(config.httpPort).toBe(8099);
    expect(config.note).toBeUndefined();
    expect(config).not.toHaveProperty('UNKNOWN');
  });

  it.each([
    [{ HTTP_PORT: 'abc' }, 'HTTP_PORT must be an integer between 1 and 65535 (got "abc")'],
    [{ HTTP_PORT: '80.5' }, 'HTTP_PORT must be an integer between 1 and 65535 (got "80.5")'],
    [{ HTTP_PORT: '0x50' }, 'HTTP_PORT must be an integer between 1 and 65535 (got "0x50")'],
    [{ COLOUR: 'green' }, 'COLOUR must be one of red, blue (got "green")'],
    [{ STRICT: 'maybe' }, 'STRICT must be true or false (got "maybe")'],
    [{ RATIO: '2' }, 'RATIO must be a number between 0 and 1 (got "2")'],
    [{ NOTE: 'x' }, 'NOTE must be text of at least 2 characters (got "x")'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent (got "loud")'],
    [{ AMQP_URL: '' }, 'AMQP_URL is required: The message broker, with the user and password of this service.'],
    [{ COLOUR: 'blue' }, 'BLUE_SHADE is required: The shade, with COLOUR=blue.'],
    [{ COLOUR: 'blue', BLUE_SHADE: 'N4' }, 'BLUE_SHADE must be text matching /^[a-z]+$/ (got "N4")'],
  ])('says in one line what is wrong with %j', (wrong, line) => {
    expect(problemsOf({ ...RIGHT, ...wrong })).toEqual([line]);
  });

  it('says everything that is wrong at once', () => {
    expect(problemsOf({ HTTP_PORT: 'abc', COLOUR: 'green' })).toHaveLength(4);
  });

  it('never shows the value of a secret', () => {
    const problems = problemsOf({ AMQP_URL: 'http://u:hidden@host', TOKEN_SECRET: 'hidden' });
    expect(problems).toEqual([
      'AMQP_URL must be a URL starting with amqp:// or amqps:// (its value is a secret and not shown)',
      'TOKEN_SECRET must be text of at least 16 characters (its value is a secret and not shown)',
    ]);
  });

  it('removes a password from a URL in a variable that is not a secret', () => {
    class UrlConfig {
      @Env('ISSUER', { description: 'The issuer.' })
      @IsUrlOf(['https'])
      readonly issuer!: string;
    }
    expect(() => parseConfig(UrlConfig, { ISSUER: 'http://u:hidden@host/x' })).toThrow(
      'ISSUER must be a URL starting with https:// (got "http://[redacted]@host/x")',
    );
  });

  it("lets a rule of one's own speak for itself", () => {
    class EvenConfig {
      @Env('COUNT', { description: 'A count.' })
      @IsInt()
      @ValidateBy({
        name: 'isEven',
        validator: { validate: (value) => Number(value) % 2 === 0, defaultMessage: () => '$property must be even' },
      })
      readonly count!: number;
    }
    expect(() => parseConfig(EvenConfig, { COUNT: '3' })).toThrow('COUNT must be even (got "3")');
    expect(parseConfig(EvenConfig, { COUNT: '4' }).count).toBe(4);
  });

  it('accepts URLs of hosts without a dot', () => {
    const env = { ...RIGHT, DATABASE_URL: 'postgres://role:pw@postgres:5432/db' };
    expect(parseConfig(DatabaseServiceConfig, env).databasePoolSize).toBe(10);
  });
});

describe('a secret in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-config-'));
  const fileWith = (text: string) => {
    const file = join(folder, 'secret');
    writeFileSync(file, text);
    return file;
  };
  const { TOKEN_SECRET: _, ...rest } = RIGHT;
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is read from where NAME_FILE says, without the newline at its end', () => {
    expect(parseConfig(SampleConfig, { ...rest, TOKEN_SECRET_FILE: fileWith('a-secret in a file\n') }).tokenSecret).toBe(
      'a-secret in a file',
    );
  });

  it('is held to the same rules, and not shown either', () => {
    expect(problemsOf({ ...rest, TOKEN_SECRET_FILE: fileWith('hidden') })).toEqual([
      'TOKEN_SECRET must be text of at least 16 characters (its value is a secret and not shown)',
    ]);
  });

  it('must not be told twice', () => {
    expect(problemsOf({ ...RIGHT, TOKEN_SECRET_FILE: fileWith('another-secret-of-some-length') })).toEqual([
      'TOKEN_SECRET and TOKEN_SECRET_FILE are both set: which of them is meant?',
    ]);
  });

  it('must be there', () => {
    expect(problemsOf({ ...rest, TOKEN_SECRET_FILE: fileWith('\n') })).toEqual([
      `TOKEN_SECRET_FILE names an empty file (${folder}/secret)`,
    ]);
    expect(problemsOf({ ...rest, TOKEN_SECRET_FILE: `${folder}/none` })).toEqual([
      `TOKEN_SECRET_FILE names a file that cannot be read: ENOENT: no such file or directory, open '${folder}/none'`,
    ]);
  });

  it('is for secrets alone', () => {
    expect(parseConfig(SampleConfig, { ...RIGHT, NOTE_FILE: fileWith('a note') }).note).toBeUndefined();
  });
});

describe('a file of an authority', () => {
  it('must be one that can be read, which is told at the start', () => {
    expect(problemsOf({ ...RIGHT, AMQP_CA_FILE: '/nowhere/ca.pem' })).toEqual([
      'AMQP_CA_FILE must be the path of a file that can be read (got "/nowhere/ca.pem")',
    ]);
    expect(problemsOf({ ...RIGHT, AMQP_CA_FILE: tmpdir() })).toHaveLength(1);
    expect(parseConfig(SampleConfig, { ...RIGHT, AMQP_CA_FILE: __filename }).amqpCaFile).toBe(__filename);
  });
});

describe('@Env', () => {
  it('refuses a secret with a default', () => {
    expect(() => Env('PASSWORD', { description: 'x', secret: true, default: 'guest' })).toThrow('must not have a default');
  });
});

describe('loadConfig', () => {
  it('prints a line for each problem, named after the service, and exits with 1', () => {
    const lines: string[] = [];
    const write = jest.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    const exit = jest.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    try {
      expect(() => loadConfig(SampleConfig, { ...RIGHT, HTTP_PORT: 'abc', STRICT: '?' })).toThrow('exit 1');
    } finally {
      write.mockRestore();
      exit.mockRestore();
    }
    expect(lines).toEqual([
      'sample: HTTP_PORT must be an integer between 1 and 65535 (got "abc")\n',
      'sample: STRICT must be true or false (got "?")\n',
    ]);
  });
});

describe('describeConfig', () => {
  const rows = new Map(describeConfig(SampleConfig).map((row) => [row.name, row]));

  it('describes each variable once, with its rules in words', () => {
    expect(rows.get('HTTP_PORT')).toMatchObject({
      description: 'The port of the sample.',
      allowed: 'an integer between 1 and 65535',
      default: '8099',
      need: 'optional',
    });
    expect(rows.get('AMQP_URL')).toMatchObject({ secret: true, need: 'required', default: undefined });
    expect(rows.get('NOTE')).toMatchObject({ need: 'optional', default: undefined });
    expect(rows.get('BLUE_SHADE')).toMatchObject({ need: 'conditional' });
    expect(rows.get('HOSTS')).toMatchObject({ allowed: 'a comma-separated list' });
  });
});
