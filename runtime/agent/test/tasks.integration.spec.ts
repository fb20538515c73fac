import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningAgent, TOKEN, bundleAgent, testDirectory, until, type Json } from './testing/running-agent';

const directory = testDirectory();
const bundle = bundleAgent(directory);
let count = 0;
let agent: RunningAgent;
let workspace: string;

async function start(options: Parameters<typeof RunningAgent.start>[2] = {}): Promise<void> {
  workspace = join(directory, `pod-${++count}`, 'workspace');
  mkdirSync(workspace, { recursive: true });
  agent = await RunningAgent.start(bundle, workspace, options);
  await agent.ready();
}

const submit = (taskId: string, description: string): Promise<Json> => agent.send('POST', '/v1/tasks', { task_id: taskId, description });
/** 0 as long as nothing is written. */
const writtenPid = (file: string): number => (existsSync(join(workspace, file)) ? Number(readFileSync(join(workspace, file), 'utf8')) : 0);
const pidIn = (file: string): Promise<number> => until(() => writtenPid(file));
/** A zombie has ended, whether or not anyone has reaped it; while another of its threads runs it is none. */
const isAlive = (pid: number): boolean => {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const [state, , , , , , , , , , , , , , , , , threads] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (state !== 'Z' && state !== 'X') || Number(threads) > 1;
};

afterEach(() => RunningAgent.stopAll());
afterAll(() => execFileSync('rm', ['-rf', directory]));

describe('a task', () => {
  it('gets its text on standard input and works in the workspace', async () => {
    await start({ command: ['cat'] });
    expect(await agent.run('Grüße\n')).toMatchObject({ status: 'completed', output: 'Grüße\n' });
    await start();
    expect(await agent.run('pwd')).toMatchObject({ status: 'completed', output: `${workspace}\n` });
  });

  it.each([
    ['that fails', 'echo out; echo err >&2; exit 3', { status: 'failed', reason: 'exit_3', output: 'out\n--- stderr ---\nerr\n' }],
    ['that dies of a signal', 'kill -9 $$', { status: 'failed', reason: 'signal_SIGKILL' }],
    ['that dies of a real-time signal', 'echo out; kill -34 $$', { status: 'failed', reason: 'signal_34', output: 'out\n' }],
    ['that dies of the last signal there is', 'kill -64 $$', { status: 'failed', reason: 'signal_64' }],
  ])('%s is told how', async (_what, description, end) => {
    await start();
    expect(await agent.run(description)).toMatchObject(end);
  });

  it('past its time limit is ended with its whole group, although it ignores SIGTERM', async () => {
    // A group that was ended before it ignored the signal shows nothing: the limit is doubled until it was not.
    for (let seconds = 1; ; seconds *= 2) {
      await start({ env: { REPRISE_TASK_TIMEOUT_SECONDS: String(seconds) } });
      const ended = await agent.run('trap "" TERM; sh -c "echo \\$\\$ > inner; exec sleep 1000" & echo $$ > outer; wait; sleep 1000');
      expect(ended).toMatchObject({ status: 'failed', reason: 'timeout' });
      const pids = ['inner', 'outer'].map(writtenPid);
      if (pids.includes(0)) continue;
      expect(pids.filter(isAlive)).toEqual([]);
      return;
    }
  });

  it('of a role without a command fails and says so', async () => {
    await start({ command: [] });
    expect(await agent.run('anything')).toMatchObject({ status: 'failed', reason: 'no_command' });
  });

  it('whose command does not exist fails and says so', async () => {
    await start({ command: ['/no/such/program'] });
    expect(await agent.run('anything')).toMatchObject({
      status: 'failed',
      reason: 'not_started',
      output: expect.stringContaining('ENOENT'),
    });
  });

  it('with a long output keeps how it ends', async () => {
    await start();
    const { status, output } = await agent.run('yes 0123456789abcde | head -c 1000000; echo THE END');
    expect(status).toBe('completed');
    expect(Buffer.byteLength(output)).toBeLessThan(257 * 1024);
    expect(output).toMatch(/^\[\d+ bytes before this are left out\]\n/);
    expect(output.endsWith('THE END\n')).toBe(true);
  });

  it('never sees the pod token, and sees what it is told', async () => {
    await start({
      env: { REPRISE_ENV: '{"GREETING":"hello","REPRISE_POD":"forged"}', REPRISE_ENVIRONMENT: 'staging', SECRET: 'of the host' },
    });
    const { output } = await agent.run('env', 'task_1');
    expect(output).not.toContain(TOKEN);
    expect(output).not.toMatch(/SECRET|REPRISE_GATEWAY_URL|REPRISE_ADDRESS_FILE/);
    expect(output).toMatch(/^GREETING=hello$/m);
    expect(output).toMatch(/^REPRISE_ENVIRONMENT=staging$/m);
    expect(output).toMatch(/^REPRISE_TASK_ID=task_1$/m);
    expect(output).not.toMatch(/forged/);
  });

  it('that is sent twice runs once', async () => {
    await start();
    expect(await submit('task_1', 'echo x >> runs; sleep 0.2')).toMatchObject({ status: 202 });
    expect(await submit('task_1', 'echo x >> runs; sleep 0.2')).toMatchObject({ status: 200 });
    await agent.ended('task_1');
    expect(await submit('task_1', 'echo x >> runs; sleep 0.2')).toMatchObject({ status: 200 });
    expect(readFileSync(join(workspace, 'runs'), 'utf8')).toBe('x\n');
  });

  it('is refused while another runs, and before the pod is ready', async () => {
    await start();
    await submit('task_1', 'sleep 1000');
    expect(await submit('task_2', 'true')).toMatchObject({ status: 409, json: { error: { code: 'busy' } } });
    expect(await agent.send('GET', '/health', undefined, {})).toMatchObject({ json: { status: 'ready', task_id: 'task_1' } });
    const fresh = await RunningAgent.start(bundle, join(directory, `fresh-${++count}`));
    expect(await fresh.send('POST', '/v1/tasks', { task_id: 'task_1', description: 'x' })).toMatchObject({
      status: 409,
      json: { error: { code: 'not_ready' } },
    });
  });

  it('that is cancelled ends cancelled with the reason', async () => {
    await start();
    await submit('task_1', 'sleep 1000');
    expect(await agent.send('POST', '/v1/tasks/task_2/cancel', { reason: 'x' })).toMatchObject({
      status: 404,
      json: { error: { code: 'not_found' } },
    });
    expect(await agent.send('POST', '/v1/tasks/task_1/cancel', { reason: 'cancelled_by_user' })).toMatchObject({ status: 202 });
    expect(await agent.ended('task_1')).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_user' });
    expect(await agent.run('echo next')).toMatchObject({ status: 'completed' });
  });

  it('ends although what it left in the background holds its output open', async () => {
    await start();
    const { status } = await agent.run('sleep 1000 & echo $! > daemon');
    expect(status).toBe('completed');
    expect(isAlive(await pidIn('daemon'))).toBe(true);
  });
});

describe('quiesce', () => {
  it('ends the running task, tells it in the conversation, and gives the same answer again', async () => {
    await start();
    await submit('task_1', 'echo begun; sleep 1000 & echo $! > inner; sleep 1000');
    const pid = await pidIn('inner');
    const answers = await Promise.all([agent.quiesce('interrupted_by_restart'), agent.quiesce('interrupted_by_stop')]);
    answers.push(await agent.quiesce('again'));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 200, json: { interrupted_task_id: 'task_1', interrupted_task_output: 'begun\n' } });
    expect(isAlive(pid)).toBe(false);
    expect((await agent.history()).at(-1)).toMatchObject({
      type: 'task.ended',
      task_id: 'task_1',
      status: 'cancelled',
      reason: 'interrupted_by_restart',
      output: 'begun\n',
    });
    expect(await submit('task_2', 'true')).toMatchObject({ status: 409, json: { error: { code: 'not_ready' } } });
  });

  it('ends what tasks left behind, also in sessions of their own', async () => {
    await start();
    await agent.run(
      'setsid sh -c \'echo $$ > daemon; trap "" TERM; while :; do echo busy > busy-file; sleep 0.05; done\' >/dev/null 2>&1 &',
    );
    const pid = await pidIn('daemon');
    expect(await agent.quiesce()).toMatchObject({ json: { interrupted_task_id: null } });
    expect(isAlive(pid)).toBe(false);
  });

  it('is refused while the pod is starting: it has nothing that could be saved', async () => {
    const fresh = await RunningAgent.start(bundle, join(directory, `fresh-${++count}`));
    expect(await fresh.quiesce()).toMatchObject({ status: 409, json: { error: { code: 'not_ready' } } });
  });

  it('is undone by resume-work: tasks run again, and the next quiesce has nothing to interrupt', async () => {
    await start();
    await submit('task_1', 'sleep 1000');
    await agent.quiesce();
    await agent.ready();
    expect(await agent.run('echo again')).toMatchObject({ status: 'completed', output: 'again\n' });
    expect(await agent.quiesce()).toMatchObject({ json: { interrupted_task_id: null } });
  });
});

describe('the agent', () => {
  it('told to stop ends its tasks and exits with 0', async () => {
    await start();
    await submit('task_1', 'sleep 1000 & echo $! > inner; sleep 1000');
    const pid = await pidIn('inner');
    expect(await agent.kill('SIGTERM')).toBe(0);
    expect(isAlive(pid)).toBe(false);
    const lines = readFileSync(join(workspace, '.reprise/conversation.ndjson'), 'utf8').trim().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: 'task.ended', status: 'cancelled', reason: 'pod_stopped' });
  });

  it('names every value of its environment that is wrong, and exits with 1', () => {
    const env = { PATH: process.env.PATH, REPRISE_GENERATION: 'x', REPRISE_COMMAND: '{}', REPRISE_POD_TOKEN: 'the-token' };
    const run = (): unknown => execFileSync(process.execPath, [bundle], { env, stdio: 'pipe' });
    expect(run).toThrow(/REPRISE_WORKSPACE_ID is required[^]*REPRISE_GENERATION must be[^]*REPRISE_COMMAND must be/);
    expect(run).not.toThrow(/the-token/);
  });

  it('mends a conversation that a crash tore off, and says that a new pod began', async () => {
    await start();
    await agent.run('echo one');
    await agent.kill('SIGKILL');
    execFileSync('sh', ['-c', `printf '{"type":"task.ended","out' >> ${workspace}/.reprise/conversation.ndjson`]);
    agent = await RunningAgent.start(bundle, workspace, { generation: 2 });
    await agent.ready();
    await agent.ready();
    expect((await agent.history()).map(({ type, generation }) => `${type} ${generation}`)).toEqual([
      'pod.started 1',
      'task.started 1',
      'task.ended 1',
      'pod.started 2',
    ]);
  });
});
