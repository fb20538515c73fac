import { keepsThePromisesOfAPodDriver } from './conformance';
import { KUBECONFIG, KubeGround } from './support/kube-ground';

const onKubernetes = KUBECONFIG === undefined ? describe.skip : describe;

onKubernetes('the kubernetes driver (needs TEST_KUBECONFIG)', () => {
  let ground: KubeGround;
  beforeAll(async () => {
    ground = await KubeGround.make();
  });
  afterAll(async () => {
    const { problems } = ground.kubelet;
    await ground.end();
    expect(problems).toEqual([]);
  });

  keepsThePromisesOfAPodDriver(() =>
    Promise.resolve({
      driver: ground.driver(),
      another: ground.driver(),
      crash: ({ workspaceId }) => ground.kubelet.crash(workspaceId),
      hasProcesses: ({ workspaceId }) => Promise.resolve(ground.kubelet.hasProcesses(workspaceId)),
    }),
  );
});
