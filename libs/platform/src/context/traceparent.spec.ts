import { childTraceparent, newTraceparent, parseTraceparent } from './traceparent';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is read as the standard says', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, parentId: SPAN, flags: '01' });
    expect(parseTraceparent(`01-${TRACE}-${SPAN}-00-more`)).toMatchObject({ traceId: TRACE });
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 with more fields', `00-${TRACE}-${SPAN}-01-x`],
    ['a zero trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a zero span', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ])('is refused when it is %s', (_, value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });

  it('starts a new trace each time', () => {
    const first = newTraceparent();
    expect(parseTraceparent(first)?.flags).toBe('01');
    expect(newTraceparent()).not.toBe(first);
  });

  it('keeps trace and flags and changes the span for a child', () => {
    const child = parseTraceparent(childTraceparent(`00-${TRACE}-${SPAN}-00`));
    expect(child).toMatchObject({ traceId: TRACE, flags: '00' });
    expect(child?.parentId).not.toBe(SPAN);
  });

  it('starts a new trace for the child of an unreadable parent', () => {
    expect(parseTraceparent(childTraceparent('rubbish'))).toBeDefined();
    expect(parseTraceparent(childTraceparent(undefined))).toBeDefined();
  });
});
