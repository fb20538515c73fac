import { keepsThePromisesOfAPodDriver } from './conformance';
import { parsePool } from '../../src/pods/docker/subnets';
import { DockerHost } from './support/docker-host';
import { describeWith, dockerEngine } from './support/engines';

const engine = dockerEngine();

describeWith(engine, 'Docker engine', 'the docker driver', () => {
  describe.each([
    ['whose pods share a network', null],
    ['whose pods each have a network', parsePool('10.218.0.0/20')],
  ])('%s', (_, podSubnets) => {
    const host = new DockerHost(engine?.host ?? 'unix:///none', engine?.agentImage ?? 'none', { podSubnets });
    afterAll(() => host.cleanUp());

    keepsThePromisesOfAPodDriver(() => host.underTest(), ['api', 'bounds', 'images', 'names', 'salvage']);
  });
});
