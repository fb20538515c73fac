import 'reflect-metadata';
import { BROKER_USERS, mayPublish, sendersOf } from './broker-users';
import { CATALOG } from './catalog';
import { isPlausibleGeneration, LARGEST_GENERATION_GAP } from './generation';
import { SetTenantPosture } from './messages/billing';
import { DiscardDeadLetters, ListDeadLetters } from './messages/dead-letters';
import { RemovePod } from './messages/pod-commands';
import { StopWithoutSnapshot } from './messages/operator-commands';
import { PodReady } from './messages/pod-events';
import { StopWorkspace } from './messages/workspace-commands';
import { senderPolicy } from './sender-policy';

const settings = { amqpUrl: 'amqp://reprise_lifecycle:x@host/v', amqpUsers: 'per-service', amqpOperators: ['admin'] } as const;
const direct = 'amq.rabbitmq.reply-to.g1h2AA';

describe('who may send what', () => {
  const senders = sendersOf(['admin']);

  it.each([
    [StopWorkspace, ['reprise_deadletters', 'reprise_gateway', 'reprise_publisher']],
    [RemovePod, ['reprise_deadletters', 'reprise_lifecycle']],
    [PodReady, ['reprise_deadletters', 'reprise_provisioner']],
    [StopWithoutSnapshot, ['admin', 'reprise_deadletters', 'reprise_gateway']],
    [SetTenantPosture, ['admin', 'reprise_deadletters', 'reprise_publisher']],
    [DiscardDeadLetters, ['reprise_gateway']],
    [ListDeadLetters, ['admin', 'reprise_gateway']],
  ])('%p comes from %j', ({ type }, users) => expect([...senders.get(type)!].sort()).toEqual(users));

  it('is known of every message', () => {
    expect([...senders].filter(([, users]) => users.size === 0)).toEqual([]);
    expect([...senders.keys()]).toEqual([...CATALOG.keys()]);
  });

  it('is what the broker lets users publish', () => {
    for (const message of CATALOG.values()) {
      for (const { name, topics } of BROKER_USERS) {
        if (message.kind === 'query') continue;
        const exchange = message.kind === 'command' ? 'reprise.commands' : 'reprise.events';
        const lets = topics.some((topic) => topic.exchange === exchange && new RegExp(topic.write).test(message.type));
        expect([name, message.type, lets]).toEqual([name, message.type, mayPublish(name, message)]);
      }
    }
  });
});

describe('whom a service believes', () => {
  it('is said by the table, where each service has its own login', () => {
    const policy = senderPolicy('lifecycle', settings);
    expect(policy.senders?.get(StopWorkspace.type)).toContain('reprise_publisher');
    expect(policy.answerers?.get(ListDeadLetters.type)).toBe('reprise_deadletters');
    expect(policy.answerers?.has(PodReady.type)).toBe(false);
  });

  it('is anybody, where all share one login', () => {
    const shared = { ...settings, amqpUrl: 'amqp://anyone:x@host', amqpUsers: 'shared' } as const;
    expect(senderPolicy('lifecycle', shared)).toMatchObject({ senders: null, answerers: null });
  });

  it.each(['amqp://guest:x@host', 'amqp://host', 'amqp://reprise_billing:x@host'])('is a mistake where it logs in by %s', (amqpUrl) => {
    expect(() => senderPolicy('lifecycle', { ...settings, amqpUrl })).toThrow(
      /broker user of lifecycle is "reprise_lifecycle".*AMQP_USERS=shared/,
    );
  });

  it.each([
    ['reprise_publisher', direct, true],
    [undefined, direct, true],
    ['reprise_publisher', 'publisher.replies', true],
    ['reprise_publisher', 'publisherreplies', false],
    ['reprise_publisher', 'provisioner.commands', false],
    ['reprise_publisher', 'amq.rabbitmq.reply-to', false],
    ['reprise_publisher', 'amq.rabbitmq.trace', false],
    ['reprise_gateway', 'publisher.replies', false],
    [undefined, 'publisher.replies', false],
    [undefined, 'undefined.replies', false],
  ])('answers %p in %p: %p', (sender, queue, may) => expect(senderPolicy('lifecycle', settings).mayReplyTo(sender, queue)).toBe(may));

  it.each([
    ['anybodys.replies', true],
    [direct, true],
    ['provisioner.commands', false],
    ['lifecycle.commands.dead', false],
  ])('answers in %p with one login for all: %p', (queue, may) => {
    expect(senderPolicy('lifecycle', { ...settings, amqpUsers: 'shared' }).mayReplyTo('anyone', queue)).toBe(may);
  });
});

it('a generation may be a thousand above the highest known one, and no more', () => {
  expect(LARGEST_GENERATION_GAP).toBe(1_000);
  expect([1, 1_000, 1_001].map((generation) => isPlausibleGeneration(generation, 0))).toEqual([true, true, false]);
  expect([3, 1_007, 1_008].map((generation) => isPlausibleGeneration(generation, 7))).toEqual([true, true, false]);
});
