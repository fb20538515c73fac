import { PodReady, sendersOf, StopWorkspace } from '@reprise/contracts';
import { senderOfChanged, senderOfReplay } from './sender.rules';

const OURSELVES = 'reprise_deadletters';
const SENDERS = sendersOf([]);
const { type } = StopWorkspace;

describe('a dead letter that an operator has changed', () => {
  it.each([
    ['whose sender may send it', { type, sent_by: 'reprise_publisher' }],
    ['that was changed before', { type, sent_by: OURSELVES }],
  ])('is the operator’s: one %s', (_, letter) => expect(senderOfChanged(letter, OURSELVES, SENDERS)).toBe(OURSELVES));

  it.each([
    ['whose sender may not send it', { type: PodReady.type, sent_by: 'reprise_billing' }],
    ['of a type that there is not', { type: 'no.such.v1', sent_by: 'reprise_gateway' }],
    ['without a type', { type: null, sent_by: 'reprise_gateway' }],
    ['without a sender', { type, sent_by: null }],
  ])('gains no right by it: one %s', (_, letter) => expect(senderOfChanged(letter, OURSELVES, SENDERS)).toBe(letter.sent_by));

  it('is the operator’s where nobody’s sender is checked', () => {
    expect(senderOfChanged({ type, sent_by: null }, OURSELVES, null)).toBe(OURSELVES);
  });

  it('is sent again as ours where it was changed before its sender was kept, and as nobody’s where it was not changed', () => {
    expect(senderOfReplay({ sent_by: null, edited_from: 'dl_1' }, OURSELVES)).toBe(OURSELVES);
    expect(senderOfReplay({ sent_by: null, edited_from: null }, OURSELVES)).toBeUndefined();
    expect(senderOfReplay({ sent_by: 'reprise_publisher', edited_from: 'dl_1' }, OURSELVES)).toBe('reprise_publisher');
  });
});
