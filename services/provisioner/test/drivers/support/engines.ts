/** The Docker engine that tests may use, and the agent's image on it; null where there is none. `npm run test:engines` brings one up. */
export function dockerEngine(): { host: string; agentImage: string } | null {
  const { TEST_DOCKER_HOST: host, TEST_AGENT_IMAGE: agentImage } = process.env;
  return host && agentImage ? { host, agentImage } : null;
}

/** The kubeconfig of the cluster that tests may use as its administrator; null where there is none. `npm run test:engines` brings one up. */
export function kubernetesApi(): { kubeconfig: string } | null {
  const { TEST_KUBECONFIG: kubeconfig } = process.env;
  return kubeconfig ? { kubeconfig } : null;
}

/** `describe` where there is an engine; skipped, with the reason in its name, where there is none. */
export function describeWith(engine: object | null, what: string, name: string, tests: () => void): void {
  if (engine) describe(name, tests);
  else describe.skip(`${name} (there is no ${what}: npm run test:engines brings one up)`, tests);
}
