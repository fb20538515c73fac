/** A service of the built code with one route, for the tests of tracing: jest cannot run the exporter, which imports its transport while it works. */
const { HealthModule, inSpan, loadConfig, ServiceConfig, startService } = require('../dist/index.js');

class Things {}

void startService({
  name: 'things',
  module: { module: Things, imports: [HealthModule.forRoot({ indicators: [] })] },
  config: loadConfig(ServiceConfig, process.env, 'things'),
  configure: (app) => {
    const fastify = app.getHttpAdapter().getInstance();
    fastify.get('/things/:id', ({ params: { id } }) => inSpan('look up', {}, () => Promise.resolve({ id })));
  },
});
