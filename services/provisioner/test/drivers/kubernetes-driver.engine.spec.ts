import { keepsThePromisesOfAPodDriver } from './conformance';
import { describeWith, kubernetesApi } from './support/engines';
import { KubeGround } from './support/kube-ground';

describeWith(kubernetesApi(), 'Kubernetes API', 'the kubernetes driver', () => {
  let ground: KubeGround;
  beforeAll(async () => {
    ground = await KubeGround.make();
  });
  afterAll(async () => {
    await ground.end();
    expect(ground.kubelet.problems).toEqual([]);
  });

  keepsThePromisesOfAPodDriver(() => ground.underTest(), ['api', 'bounds', 'images', 'names', 'quota']);
});
