import type { MessageSpec } from '../topology/catalog';
import type { MessageContext } from './message-context';
import { checkSender, type SenderPolicy } from './sender-check';

const policy: SenderPolicy = {
  senders: new Map([['a.v1', new Set(['alice'])]]),
  answerers: null,
  mayReplyTo: () => true,
  unknownSender: { code: 'unauthenticated', message: 'Who?' },
};
const from = (userId: string | undefined, replyTo?: string) => ({ type: 'a.v1', userId, replyTo }) as MessageContext;
const spec = (kind: MessageSpec['kind'], tellsRefusal = false) => ({ kind, tellsRefusal }) as MessageSpec;
const check =
  (context: MessageContext, of: MessageSpec, by: SenderPolicy | undefined = policy) =>
  () =>
    checkSender(context, of, by);

describe('the sender of a message', () => {
  it('may send what the policy says', () => expect(check(from('alice'), spec('event'))).not.toThrow());

  it.each(['command', 'query', 'event'] as const)('of a %s that it may not send is told to the dead letters', (kind) => {
    expect(check(from('bob', 'reply'), spec(kind, true))).toThrow(expect.objectContaining({ reason: 'forbidden' }));
  });

  it('of a type that the policy does not know may not send it', () => {
    expect(check({ ...from('alice'), type: 'b.v1' } as MessageContext, spec('event'))).toThrow('alice may not send b.v1');
  });

  it('that is unknown is left to a handler that tells its refusal', () =>
    expect(check(from(undefined), spec('command', true))).not.toThrow());

  it('that is unknown is refused where it waits for an answer to a command', () => {
    expect(check(from(undefined, 'reply'), spec('command'))).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
  });

  it.each(['command', 'query', 'event'] as const)('of a %s that is unknown otherwise ends it among the dead letters', (kind) => {
    expect(check(from(undefined), spec(kind))).toThrow(expect.objectContaining({ reason: 'unauthenticated' }));
  });

  it('is nobody’s business where all share one login', () => {
    for (const by of [undefined, { ...policy, senders: null }]) expect(() => checkSender(from(undefined), spec('event'), by)).not.toThrow();
  });
});
