import { ReplacePod, RestartWorkspace } from '@reprise/contracts';
import { runWith } from '@reprise/platform';
import { waitFor } from '../../../libs/messaging/test/support';
import { type Recording, recordSpans } from '../../../libs/platform/src/tracing/testing/recording';
import { Watchdog } from '../src/operations/watchdog';
import { World } from './support/world';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

let world: World;
let recording: Recording;

beforeAll(async () => {
  world = await World.create({ watchdogIntervalSeconds: 3600 });
  await world.setPosture('acme', 'active');
  recording = await recordSpans();
});

afterAll(async () => {
  await world?.close();
  recording?.stop();
});

async function after(seconds: number): Promise<void> {
  world.clock.advance(seconds * 1000);
  await world.lifecycle.get(Watchdog).look();
}

const inTrace = (name: string) => recording.spans.filter((span) => span.name === name && span.spanContext().traceId === TRACE);
const told = (name: string, count: number) =>
  waitFor(() => inTrace(name).length === count, `${count} spans ${name} in the trace of the request`);

it('what the watchdog does for an operation belongs to the trace of its request: a command sent again, and a deadline that ends it', async () => {
  const workspace = await world.idleWorkspace(await world.role('traced'));
  const { operation_id: id } = await runWith({ traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }, () =>
    world.done<{ operation_id: string }>(RestartWorkspace, { workspace_id: workspace.id }),
  );
  await told(`publish ${ReplacePod.type}`, 1);
  await after(31);
  await told(`publish ${ReplacePod.type}`, 2);
  const [first, again] = inTrace(`publish ${ReplacePod.type}`);
  expect(again!.parentSpanContext?.spanId).toBe(first!.parentSpanContext?.spanId);

  await after(600);
  await told('publish reprise.operation.failed.v1', 1);
  const [end] = inTrace('publish reprise.operation.failed.v1');
  const transaction = recording.spans.find((span) => span.spanContext().spanId === end!.parentSpanContext?.spanId);
  expect(transaction).toMatchObject({
    name: 'transaction',
    attributes: { 'reprise.operation.id': id, 'reprise.workspace.id': workspace.id },
  });
});
