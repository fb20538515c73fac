import { type INestApplication, Logger } from '@nestjs/common';
import {
  ControlReplay,
  type DeadLetterView,
  type DeadLetterWhole,
  DiscardDeadLetters,
  EditDeadLetter,
  EXCHANGE,
  GetDeadLetter,
  GetReplay,
  QUEUE,
  ReplayDeadLetter,
  ReplayDeadLetters,
  type ReplayView,
} from '@reprise/contracts';
import { HEADER } from '@reprise/messaging';
import { TestBroker, TestDatabase, waitFor } from '../../../libs/messaging/test/support';
import { Operator } from './support/operator';
import { startDeadletters } from './support/start-deadletters';

const SOURCE = QUEUE.provisionerCommands;

let broker: TestBroker;
let database: TestDatabase;
let service: INestApplication;
let operator: Operator;

beforeAll(async () => {
  Logger.overrideLogger(false);
  [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
  service = await startDeadletters(broker, database, { editDeadLetters: true });
  operator = new Operator(broker);
});

afterEach(() => broker.channel.purgeQueue(SOURCE));

afterAll(async () => {
  await operator?.close();
  await service?.close();
  await Promise.all([broker?.drop(), database?.drop()]);
});

async function buried(type: string, count: number): Promise<DeadLetterView[]> {
  for (let i = 0; i < count; i++) await operator.bury(SOURCE, `{"i":${i}}`, { messageId: `${type}-${i}`, type }, { mine: i });
  return waitFor(async () => {
    const letters = await operator.letters({ type });
    return letters.length === count && letters;
  }, `${count} of ${type}`);
}

it('one letter goes back to the queue that failed, as the message that it was', async () => {
  const sender = { [HEADER.userId]: 'reprise_publisher' };
  const user = new URL(broker.url).username;
  const properties = {
    messageId: 'one',
    type: 'one.v1',
    correlationId: 'c',
    contentType: 'application/json',
    replyTo: 'gone',
    userId: user,
  };
  await operator.bury(SOURCE, Buffer.from([0xff, 1]), properties, { mine: 'x', ...sender });
  const letter = await operator.letter({ type: 'one.v1' });
  const replay = await operator.must<ReplayView>(ReplayDeadLetter, { dead_letter_id: letter.id });
  expect(replay).toMatchObject({ status: 'running', total: 1, pending: 1, requested_by: 'olga' });

  const message = await broker.take(SOURCE);
  expect(message.content).toEqual(Buffer.from([0xff, 1]));
  expect(message.properties).toMatchObject({ messageId: 'one', type: 'one.v1', correlationId: 'c', contentType: 'application/json' });
  expect(message.properties.headers).toMatchObject({ mine: 'x', [HEADER.replays]: 1, ...sender });
  for (const header of [HEADER.deadReason, HEADER.attempts, HEADER.stack]) expect(message.properties.headers).not.toHaveProperty(header);

  expect(await operator.ended(replay.id)).toMatchObject({ total: 1, pending: 0, done: 1, failed_again: 0 });
  expect(await operator.letter({ ids: [letter.id] })).toMatchObject({ status: 'replayed', replays: 1, replay_id: replay.id });
  const again = await operator.ask(ReplayDeadLetter, { dead_letter_id: letter.id });
  expect(again).toMatchObject({ refusal: { code: 'dead_letter_settled', details: { status: 'replayed' } } });
});

it('a message that fails again is linked to its letter, and can be replayed once more', async () => {
  const [letter] = await buried('again.v1', 1);
  for (const round of [1, 2]) {
    const replay = await operator.must<ReplayView>(ReplayDeadLetter, { dead_letter_id: letter!.id });
    const { content, properties } = await broker.take(SOURCE);
    await operator.ended(replay.id);
    await operator.bury(SOURCE, content, properties, { ...properties.headers, [HEADER.exception]: `Error: round ${round}` });
    await waitFor(async () => (await operator.letter({ ids: [letter!.id] })).status === 'failed_again', `round ${round}`);
    expect(await operator.letters({ type: 'again.v1' })).toEqual([
      expect.objectContaining({ id: letter!.id, deaths: round + 1, replays: round, exception: `Error: round ${round}` }),
    ]);
    expect(await operator.must(GetReplay, { replay_id: replay.id })).toMatchObject({ status: 'done', done: 0, failed_again: 1 });
  }
  const { history } = await operator.must<DeadLetterWhole>(GetDeadLetter, { dead_letter_id: letter!.id });
  const once = ['replay_requested', 'replayed', 'failed_again'];
  expect(history.map(({ action }) => action)).toEqual(['died', ...once, ...once]);
});

it('a replay can be paused, goes on where it was, and keeps its rate', async () => {
  await buried('paced.v1', 20);
  const began = Date.now();
  const { id } = await operator.must<ReplayView>(ReplayDeadLetters, { filter: { type: 'paced.v1' }, rate_per_second: 20 });
  await waitFor(async () => (await broker.count(SOURCE)) > 0);
  const paused = await operator.must<ReplayView>(ControlReplay, { replay_id: id, action: 'pause' });
  expect(paused.status).toBe('paused');
  expect(paused.pending).toBeGreaterThan(0);
  await broker.publish(EXCHANGE.dead, 'nothing', '');
  expect(await operator.must(GetReplay, { replay_id: id })).toMatchObject({ pending: paused.pending });
  await operator.must(ControlReplay, { replay_id: id, action: 'resume' });
  expect(await operator.ended(id)).toMatchObject({ total: 20, done: 20 });
  expect(Date.now() - began).toBeGreaterThan(800);
  expect(await broker.count(SOURCE)).toBe(20);
  expect(await operator.ask(ControlReplay, { replay_id: id, action: 'pause' })).toMatchObject({ refusal: { code: 'replay_ended' } });
});

it('what is discarded while it waits to be sent is not sent, and a cancelled replay lets go of the rest', async () => {
  const letters = await buried('held.v1', 5);
  const { id } = await operator.must<ReplayView>(ReplayDeadLetters, { filter: { type: 'held.v1' }, rate_per_second: 1 });
  await operator.must(ControlReplay, { replay_id: id, action: 'pause' });
  const sent = await broker.count(SOURCE);
  const waiting = (await operator.letters({ type: 'held.v1', status: 'replaying' })).map((letter) => letter.id);
  expect(waiting.length + sent).toBe(letters.length);
  await operator.must(DiscardDeadLetters, { filter: { ids: [waiting[0]!] }, reason: 'no' });
  const ended = await operator.must<ReplayView>(ControlReplay, { replay_id: id, action: 'cancel' });
  expect(ended).toMatchObject({ status: 'cancelled', pending: 0, done: sent, discarded: 1, cancelled: waiting.length - 1 });
  expect(await operator.letters({ type: 'held.v1', status: 'open' })).toHaveLength(waiting.length - 1);
});

it('nobody replays everything by leaving the filter out, or what is not there', async () => {
  expect(await operator.ask(ReplayDeadLetters, { filter: {} })).toMatchObject({ refusal: { code: 'validation_error' } });
  expect(await operator.ask(ReplayDeadLetter, { dead_letter_id: 'x' })).toMatchObject({ refusal: { code: 'dead_letter_not_found' } });
  expect(await operator.ask(GetReplay, { replay_id: 'x' })).toMatchObject({ refusal: { code: 'replay_not_found' } });
});

it('a letter whose queue has gone holds up nothing, and says why', async () => {
  await operator.bury(QUEUE.billingCommands, '{}', { messageId: 'lost', type: 'lost.v1' });
  const lost = await operator.letter({ type: 'lost.v1' });
  const [other] = await buried('found.v1', 1);
  await broker.channel.unbindQueue(QUEUE.billingCommands, EXCHANGE.retry, QUEUE.billingCommands);
  const { id } = await operator.must<ReplayView>(ReplayDeadLetters, { filter: { ids: [lost.id, other!.id] } });
  expect(await operator.ended(id)).toMatchObject({ done: 1, failed_again: 1 });
  expect(await operator.letter({ ids: [lost.id] })).toMatchObject({
    status: 'failed_again',
    exception: expect.stringMatching(/No queue takes/),
  });
});

it('an edited letter is a new message with a new id, linked to the old one, and the operator’s own', async () => {
  await operator.bury(SOURCE, '{"forse":true}', { messageId: 'old', type: 'edited.v1' }, { cloudEvents_actor: 'alice' });
  const old = await operator.letter({ type: 'edited.v1' });
  const replay = await operator.must<ReplayView>(EditDeadLetter, { dead_letter_id: old.id, data: { force: true }, reason: 'misspelt' });
  const message = await broker.take(SOURCE);
  expect(JSON.parse(message.content.toString())).toEqual({ force: true });
  expect(message.properties.messageId).toMatch(/^msg_/);
  expect(message.properties.headers).toMatchObject({ cloudEvents_actor: 'olga' });
  expect(message.properties.headers).toHaveProperty([HEADER.userId], new URL(broker.url).username);
  await operator.ended(replay.id);
  const [edited, before] = await operator.letters({ type: 'edited.v1' });
  expect(before).toMatchObject({ id: old.id, status: 'discarded', edited_to: edited!.id });
  expect(edited).toMatchObject({ status: 'replayed', edited_from: old.id, message_id: message.properties.messageId });

  await operator.bury(SOURCE, message.content, message.properties, message.properties.headers);
  await waitFor(async () => (await operator.letter({ ids: [edited!.id] })).status === 'failed_again');
  expect(await operator.letters({ type: 'edited.v1' })).toHaveLength(2);
});
