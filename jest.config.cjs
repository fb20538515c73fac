/** Unit tests stand beside their source; integration tests use a real broker and database; end-to-end tests use the real processes. */
const { randomBytes } = require('node:crypto');

// The files of a run share a name for what one of them makes for all. Workers have it from the process that started them.
process.env.REPRISE_TEST_RUN ??= randomBytes(4).toString('hex');

// For tests with databases that are copies of one (see test/support/migrated-template.ts).
const stacks = { globalTeardown: '<rootDir>/test/support/end-of-run.ts' };
const common = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.[tj]s$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  moduleNameMapper: {
    '^@reprise/contracts/cloud-events$': '<rootDir>/libs/contracts/src/cloud-events.ts',
    '^@reprise/messaging/(migration|store|topology)$': '<rootDir>/libs/messaging/src/$1.ts',
    '^@reprise/platform/(database|migrations|tools)$': '<rootDir>/libs/platform/src/$1.ts',
    '^@reprise/(contracts|messaging|platform)$': '<rootDir>/libs/$1/src/index.ts',
    // What is imported only where it is used has the name of the compiled file.
    '^(\\.\\./(?:pods|snapshots)/.*)\\.js$': '$1',
  },
  // The client of Kubernetes and what it is made of are ES modules, which jest does not load as they are.
  transformIgnorePatterns: ['/node_modules/(?!(@kubernetes/client-node|openid-client|oauth4webapi|jose|jsonpath-plus)/)'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.reprise/'],
  rootDir: __dirname,
};

module.exports = {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{libs,services,runtime}/*/src/**/*.spec.ts',
        '<rootDir>/{cli,bench}/src/**/*.spec.ts',
        '<rootDir>/test/{handlers,metrics,service-env}.spec.ts',
        '<rootDir>/test/faults/schedule.spec.ts',
      ],
    },
    {
      ...common,
      displayName: 'integration',
      testMatch: ['<rootDir>/{libs,services,runtime}/*/test/**/*.integration.spec.ts', '<rootDir>/cli/test/**/*.integration.spec.ts'],
    },
    { ...common, ...stacks, displayName: 'e2e', testMatch: ['<rootDir>/test/**/*.e2e.spec.ts'] },
    // It kills its servers: `npm run test:faults` gives it some of its own.
    ...(process.env.FAULTS_STATE
      ? [{ ...common, ...stacks, displayName: 'faults', testMatch: ['<rootDir>/test/faults/*.faults.spec.ts'] }]
      : []),
    // It needs a Docker engine or a Kubernetes API: `npm run test:engines` brings them up where it can.
    ...(process.env.ENGINES_STATE
      ? [{ ...common, ...stacks, displayName: 'engines', testMatch: ['<rootDir>/{services,test}/**/*.engine.spec.ts'] }]
      : []),
  ],
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  // One more than the processors of a small machine: a quarter of the time, tests wait for something.
  maxWorkers: 3,
  // Waits have limits of their own, and say what they waited for; this is for what hangs.
  testTimeout: 120_000,
};
