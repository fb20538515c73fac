import type { SenderPolicy } from '@reprise/contracts';

/** The letter that an operator has changed. */
interface Changed {
  type: string | null;
  sent_by: string | null;
}

/**
 * Whose a changed letter is: the operator's, that is ours, where its first sender may send its type. Else it stays that sender's, and is refused again:
 * no change gives anybody a right. Null: nobody's. Pure.
 * @param senders who may send what; null where that is not checked
 */
export function senderOfChanged({ type, sent_by: sender }: Changed, ourselves: string, senders: SenderPolicy['senders']): string | null {
  if (!senders) return ourselves;
  return sender !== null && senders.get(type ?? '')?.has(sender) ? ourselves : sender;
}

/** Whose name a letter is sent again under. One that was changed before its sender was kept is ours. Pure. */
export function senderOfReplay(letter: { sent_by: string | null; edited_from: string | null }, ourselves: string): string | undefined {
  return letter.sent_by ?? (letter.edited_from === null ? undefined : ourselves);
}
