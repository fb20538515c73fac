/** The rules of the house (docs/architecture.md): which room may know which. Run by `npm run lint`. */
const feature = '^services/([^/]+)/src';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'libs-never-import-services', severity: 'error', from: { path: '^libs/' }, to: { path: '^(services|cli|runtime)/' } },
    {
      name: 'services-never-import-each-other',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'services-never-import-cli-agent-or-bench',
      severity: 'error',
      from: { path: '^(libs|services)/' },
      to: { path: '^(cli|runtime|bench)/' },
    },
    {
      name: 'contracts-import-no-framework',
      severity: 'error',
      from: { path: '^libs/contracts/' },
      to: { path: ['@nestjs/', 'node_modules/typeorm', 'node_modules/amqplib', 'node_modules/pg/', '^libs/(messaging|platform)/'] },
    },
    {
      name: 'messaging-and-platform-know-no-domain-word',
      comment: 'Messaging takes the wire mapping of CloudEvents from contracts, and nothing else.',
      severity: 'error',
      from: { path: '^libs/(messaging|platform)/' },
      to: { path: '^libs/contracts/', pathNot: '^libs/contracts/src/cloud-events\\.ts$' },
    },
    { name: 'platform-knows-no-messaging', severity: 'error', from: { path: '^libs/platform/' }, to: { path: '^libs/messaging/' } },
    {
      name: 'only-messaging-and-the-command-know-amqplib',
      severity: 'error',
      from: { path: '^(libs|services|runtime|cli)/', pathNot: '^(libs/messaging|cli)/' },
      to: { path: 'node_modules/amqplib' },
    },
    {
      name: 'only-platform-knows-prom-client',
      severity: 'error',
      from: { path: '^(libs|services|runtime|cli)/', pathNot: '^libs/platform/' },
      to: { path: 'node_modules/prom-client' },
    },
    {
      name: 'only-platform-knows-opentelemetry',
      severity: 'error',
      from: { path: '^(libs|services|runtime|cli)/', pathNot: '^libs/platform/' },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'the-gateway-has-no-database',
      severity: 'error',
      from: { path: '^services/gateway/' },
      to: {
        path: [
          'node_modules/typeorm',
          'node_modules/pg/',
          '@nestjs/typeorm',
          '^libs/platform/src/(database|migrations)\\.ts$',
          '^libs/messaging/src/(store|migration)\\.ts$',
        ],
      },
    },
    {
      name: 'rules-are-pure',
      comment: 'A rule imports nothing but contracts and other rules.',
      severity: 'error',
      from: { path: '\\.rules\\.ts$' },
      to: { pathNot: ['\\.rules\\.ts$', '^libs/contracts/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-repositories-hold-sql',
      severity: 'error',
      from: {
        path: feature,
        pathNot: [
          '\\.(repository|entity|module)\\.ts$',
          '/transactions/unit-of-work\\.ts$',
          '/migrations/',
          '/migrate\\.ts$',
          '\\.spec\\.ts$',
        ],
      },
      to: { path: ['node_modules/typeorm', 'node_modules/pg/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-controllers-know-the-transport',
      severity: 'error',
      from: { path: feature, pathNot: ['\\.(controller|module)\\.ts$', '/main\\.ts$'] },
      to: { path: '@nestjs/microservices' },
    },
    {
      name: 'nothing-calls-back-up',
      severity: 'error',
      from: { path: '\\.(service|repository|rules|entity)\\.ts$' },
      to: { path: '\\.controller\\.ts$' },
    },
    { name: 'no-service-from-a-repository', severity: 'error', from: { path: '\\.repository\\.ts$' }, to: { path: '\\.service\\.ts$' } },
    {
      name: 'the-transfer-thread-has-a-small-heap',
      comment: 'docs/adr/0026-transfers-in-a-thread.md: what the thread loads, and what that loads.',
      severity: 'error',
      from: {
        path: [
          '^services/provisioner/src/snapshots/',
          '^services/provisioner/src/transfers/(thread|thread-messages|local-transfers)\\.ts$',
          '^services/provisioner/src/pods/agent-(client|answers|transfers)',
          '^services/provisioner/src/metrics/(observed-snapshot-store|call-timer)\\.ts$',
          '^services/provisioner/src/ports/snapshot-stores\\.ts$',
        ],
        pathNot: '\\.spec\\.ts$',
      },
      to: { path: ['@nestjs/', '^libs/', 'node_modules/(typeorm|prom-client|class-validator)/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-dev-dependency-in-what-runs',
      severity: 'error',
      from: { path: '^(libs|services|cli)/[^/]+/?src|^(libs|services)/', pathNot: ['\\.spec\\.ts$', '/test/', '/testing/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/dist/', '/coverage/'] },
    tsConfig: { fileName: 'tsconfig.spec.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
