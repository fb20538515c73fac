import { keepsThePromisesOfAPodDriver } from './conformance';
import { DockerHost } from './support/docker-host';
import { describeWith, dockerEngine } from './support/engines';

const engine = dockerEngine();

describeWith(engine, 'Docker engine', 'the docker driver', () => {
  const host = new DockerHost(engine?.host ?? 'unix:///none', engine?.agentImage ?? 'none');
  afterAll(() => host.cleanUp());

  keepsThePromisesOfAPodDriver(() => host.underTest(), ['api', 'bounds', 'images', 'names', 'salvage']);
});
