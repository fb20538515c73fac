import { DeadLetter, outcomeOf, RefusedError, RetryLater } from './outcome';

describe('what a handler throws', () => {
  it('is a refusal, as it was given', () => {
    expect(outcomeOf(new RefusedError({ code: 'c', message: 'm' }))).toEqual({ end: 'refused', refusal: { code: 'c', message: 'm' } });
  });

  it('is death, with its reason', () => {
    expect(outcomeOf(new DeadLetter('cursed', 'why'))).toMatchObject({ end: 'dead', reason: 'cursed', error: { message: 'why' } });
  });

  it('is a later attempt, expected or not, whatever was thrown', () => {
    expect(outcomeOf(new RetryLater('wait'))).toMatchObject({ end: 'retry', expected: true });
    expect(outcomeOf(new TypeError('oops'))).toMatchObject({ end: 'retry', expected: false });
    expect(outcomeOf('a string')).toMatchObject({ end: 'retry', error: { message: 'a string' } });
  });
});
