// @ts-check
// npm start [-- --detach] [--servers]: everything that an instance needs, on this machine, until Ctrl-C (or npm stop). With --servers PostgreSQL and
// RabbitMQ alone, for `reprise restore`.
import { commandLine } from './lib/command-line.mjs';
import { onStopSignal, tolerateClosedOutput } from './lib/console.mjs';
import { announceReady, startDetached, untilReady } from './lib/detached.mjs';
import { Failure, describe } from './lib/failure.mjs';
import { holderOf, takeLock } from './lib/lock.mjs';
import { Progress } from './lib/progress.mjs';
import { State, instanceFolder } from './lib/state.mjs';
import { Supervisor } from './lib/supervisor.mjs';

const USAGE = `usage: npm start -- [--detach] [--servers]

Installs, builds and starts an instance of Reprise in this checkout: PostgreSQL, RabbitMQ and the services. Its state is in .reprise/.

  --detach    returns once everything is ready; npm stop ends it
  --servers   PostgreSQL and RabbitMQ alone, as for reprise restore

Settings are taken from the environment and from .reprise/env (docs/configuration.md). GATEWAY_PORT is the gateway's port.`;

// --supervise is --detach's own.
const options = commandLine(
  { usage: USAGE, options: { detach: { type: 'boolean' }, supervise: { type: 'boolean' }, servers: { type: 'boolean' } } },
  ({ values }) => values,
);

tolerateClosedOutput();
try {
  const state = new State(instanceFolder());
  const running = holderOf(state.path('lock'));
  if (running && options.detach && !(await untilReady(state))) {
    console.error(`Reprise is starting (${running.what}, pid ${running.pid}) and is not ready; see .reprise/logs`);
    process.exitCode = 1;
  } else if (running) {
    console.log(
      `Reprise is running already (${running.what}, pid ${running.pid}). Gateway: ${new State(instanceFolder()).values.GATEWAY_URL}. To stop it: npm stop`,
    );
    process.exitCode = options.detach ? 0 : 1;
  } else if (options.detach) {
    process.exitCode = await startDetached(state, options.servers ? ['--servers'] : []);
  } else {
    await superviseHere(state);
  }
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}

/** @param {State} state */
async function superviseHere(state) {
  // Set where we were started by --detach: a parent waits to hear how it goes, and shows it.
  const parent = process.send?.bind(process);
  const lock = takeLock(state.path('lock'), options.supervise ? 'in the background' : 'in the foreground');
  if (!lock.release) {
    const failed = `Another process has just started here (${lock.holder.what}, pid ${lock.holder.pid}).`;
    if (!parent) throw new Failure(failed);
    return void parent({ failed }, () => process.exit(1));
  }

  /** @param {string} text */
  const say = (text) => console.log(text);
  const progress = parent ? new Progress((text) => void parent({ text })) : new Progress();
  let quiet = true;
  const tty = Boolean(process.stdout.isTTY);
  const supervisor = new Supervisor(state, progress, {
    logFormat: tty ? 'pretty' : 'json',
    colours: tty,
    // In the background nobody looks; each service's own log has the lines.
    print: options.supervise ? null : (line) => void (quiet || say(line)),
    onNews: (text) => say(`${new Date().toISOString()} ${text}`),
  });

  const stopped = new Promise((resolve) => {
    onStopSignal(
      () => {
        quiet = true;
        say('\nStopping: services, RabbitMQ, PostgreSQL. (Ctrl-C again to hurry the services.)');
        resolve(supervisor.stop());
      },
      () => supervisor.hurry(),
    );
  });

  try {
    if (!parent) say('Starting Reprise.');
    const text = await supervisor.start(options);
    const what = options.servers ? 'PostgreSQL and RabbitMQ are' : 'Reprise is';
    const says = options.servers ? '' : ' What the services say follows.';
    const ready = `\n${what} ready after ${progress.seconds} s.\n${text}`;
    announceReady(state);
    if (parent) {
      parent({ ready });
      process.disconnect?.();
    } else {
      say(`${ready}\n  Ctrl-C stops everything; pods go on and are found again by the next start.${says}\n`);
    }
    quiet = false;
    await stopped;
    say('Stopped. Nothing is lost: npm start goes on from here, with the pods that still run.');
  } catch (error) {
    const reason = describe(error);
    await supervisor.stop();
    if (parent) await new Promise((sent) => parent({ failed: reason }, sent));
    else console.error(`\n${reason}`);
    process.exitCode = 1;
  } finally {
    lock.release();
  }
  // Sockets of the health checks may be kept alive for a while.
  process.exit();
}
