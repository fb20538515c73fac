import { describeWith, dockerEngine } from '../services/provisioner/test/drivers/support/engines';
import { eventually, promise, useStack, type Caller } from './support';
import { DockerInstallation } from './support/docker';

const engine = dockerEngine();

/** Everything in the workspace but what the agent keeps for itself: kind, mode, time (as fine as it is carried), target; and what the files hold. */
const LOOK = `
  find . -mindepth 1 -path ./.reprise -prune -o -printf '%P|%y|%m|%T@|%l\\n' | sed 's/\\(\\.[0-9]\\{6\\}\\)[0-9]*|/\\1|/' | sort
  find . -path ./.reprise -prune -o -type f -print0 | sort -z | xargs -0 sha256sum`;

const FILL = `
  mkdir -p src/deep empty locked && echo run > src/run.sh && chmod 755 src/run.sh && echo secret > src/secret && chmod 600 src/secret
  ln -s src/run.sh link && ln -s ../nowhere src/dangling && head -c 3000000 /dev/urandom > random.bin && touch -d 2001-02-03T04:05:06.789 src/run.sh
  echo kept > locked/kept && chmod 555 locked && printf 'x' > "$(printf 'odd \\303\\274 name')"`;

describeWith(engine, 'Docker engine', 'Reprise with pods that are containers', () => {
  const docker = new DockerInstallation(engine ?? { host: '', agentImage: '' });
  const stack = useStack(engine ? docker.stackOptions : {});
  afterAll(() => docker.remove(), 300_000);

  const said = async (alice: Caller, id: string, script: string): Promise<string> => {
    await alice.reach(id, 'idle');
    const { status, output } = await alice.run(id, script);
    expect(status).toBe('completed');
    return output ?? '';
  };
  const conversation = async (id: string): Promise<string[]> =>
    docker.exec(await docker.pod(id), 'cat', '/workspace/.reprise/conversation.ndjson');
  /** How long it takes, for whoever reads the log: a figure, not a promise. */
  const timed = async <T>(what: string, work: Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await work;
    process.stderr.write(`docker: ${what} took ${Math.round(performance.now() - begun)} ms\n`);
    return result;
  };

  promise('a workspace is made, works, and is carried through a restart, a stop and a resume', async () => {
    const { alice } = await stack.tenant();
    const role = await alice.role();
    const { id } = await timed('create', alice.workspace({ role_id: role.id }));
    expect(await said(alice, id, 'id -u; pwd')).toBe('1000\n/workspace\n');
    await said(alice, id, FILL);
    const before = await said(alice, id, LOOK);
    expect(before.split('\n').length).toBeGreaterThan(15);
    const talk = await conversation(id);

    await alice.reach(id, 'idle');
    await timed('restart', alice.restart(id));
    expect(await docker.pod(id)).toMatchObject({ generation: 2, running: true });
    expect((await conversation(id)).slice(0, talk.length)).toEqual(talk);
    expect(await said(alice, id, LOOK)).toEqual(before);

    await alice.reach(id, 'idle');
    await timed('stop', alice.stop(id));
    expect(await docker.pods(id)).toEqual([]);
    expect(await docker.volumes(id)).toEqual([`${docker.instance}-${id}-fence-2`]);

    await timed('resume', alice.resume(id));
    expect(await said(alice, id, LOOK)).toEqual(before);
    expect((await conversation(id)).slice(0, talk.length)).toEqual(talk);
  });

  promise('a pod that is killed behind our back is told as lost, with its reason, and resume brings its workspace back', async () => {
    const { alice } = await stack.tenant();
    const { id } = await alice.workspace();
    await said(alice, id, 'echo saved > saved.txt');
    await alice.reach(id, 'idle');
    await alice.restart(id);
    const task = await alice.running(id, 'sleep 600');
    await docker.kill(await docker.pod(id));
    await alice.reach(id, 'failed', 60_000);
    expect(await alice.task(id, task)).toMatchObject({ status: 'failed', reason: 'pod_lost' });
    const lost = await eventually(() => {
      const [event] = stack.publisher.eventsAbout(id, 'reprise.pod.lost.v1');
      expect(event).toBeDefined();
      return event;
    });
    expect(JSON.stringify(lost?.data)).toContain('137');
    await alice.resume(id);
    expect(await said(alice, id, 'cat saved.txt')).toBe('saved\n');
    expect(await docker.pods(id)).toHaveLength(1);
  });

  promise('a provisioner that is killed while it makes a pod leaves one that its successor takes over', async () => {
    const { alice } = await stack.tenant();
    const { id } = await alice.workspace();
    await said(alice, id, 'echo kept > kept.txt');
    await alice.reach(id, 'idle');
    const operation = await alice.begin(id, 'restart');
    await alice.inPhase(operation, 'create');
    await stack.service('provisioner').kill();
    await stack.service('provisioner').start();
    await alice.succeeded(operation);
    expect(await said(alice, id, 'cat kept.txt')).toBe('kept\n');
    expect(await docker.pods(id)).toHaveLength(1);
  });

  promise('a role has its own image and limits', async () => {
    const { alice } = await stack.tenant();
    const role = await alice.role({ runtime: { image: 'debian:bookworm-slim', memory_mb: 128, pids: 64, read_only_root: true } });
    const { id } = await alice.workspace({ role_id: role.id });
    const words = await said(alice, id, 'command -v node || echo no node; touch /root/x 2>/dev/null || echo read-only; echo fine > mine');
    expect(words).toBe('no node\nread-only\n');
    await alice.reach(id, 'idle');
    await alice.restart(id);
    expect(await said(alice, id, 'cat mine')).toBe('fine\n');
  });
});
