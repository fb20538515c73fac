import 'reflect-metadata';
import { Type } from 'class-transformer';
import { IsString, ValidateNested } from 'class-validator';
import type { MessageKind } from '../topology/catalog';
import { HOSTILE } from '../../../platform/src/input/testing/hostile-bodies';
import { decode, LARGEST_DATA } from './decode';

class Inner {
  @IsString()
  name!: string;
}

class Data {
  @ValidateNested()
  @Type(() => Inner)
  inner!: Inner;
}

class Empty {}

const spec = (kind: MessageKind, data: new () => object = Data) => ({ type: 'a.v1', kind, exchange: 'e', routingKey: 'a.v1', data });
const body = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('decoding a message', () => {
  it('gives an instance of its class', () => {
    const data = decode(body({ inner: { name: 'x' } }), spec('command')) as Data;
    expect(data).toBeInstanceOf(Data);
    expect(data.inner).toBeInstanceOf(Inner);
  });

  it.each(['', '{', 'nonsense', '{"a":1}x'])('finds %p unparseable', (text) => {
    expect(() => decode(Buffer.from(text), spec('command'))).toThrow(expect.objectContaining({ reason: 'unparseable' }));
  });

  it.each([null, 1, 'x', [], [{}]])('finds %p invalid, which is JSON but no object', (value) => {
    expect(() => decode(body(value), spec('command'))).toThrow(expect.objectContaining({ reason: 'invalid' }));
  });

  it('names the field of each broken rule', () => {
    expect(() => decode(body({ inner: { name: 1 } }), spec('command'))).toThrow('inner.name must be a string');
  });

  it.each(['command', 'query'] as const)('refuses an unknown field in a %s, however deep', (kind) => {
    expect(() => decode(body({ inner: { name: 'x', nmae: 'y' } }), spec(kind))).toThrow('inner.nmae is not known here');
  });

  it('leaves an unknown field out of an event', () => {
    expect(decode(body({ inner: { name: 'x', later: 1 }, later: 2 }), spec('event'))).toEqual({ inner: { name: 'x' } });
  });

  it('accepts nothing but an empty object where the class has no rules', () => {
    expect(decode(body({}), spec('query', Empty))).toBeInstanceOf(Empty);
    expect(() => decode(body({ x: 1 }), spec('query', Empty))).toThrow('x is not known here');
    expect(decode(body({ x: 1 }), spec('event', Empty))).toEqual({});
  });

  it.each(Object.entries(HOSTILE))('%s: refused in two kilobytes at most', (_, text) => {
    let message = '';
    try {
      decode(Buffer.from(text), spec('command'));
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toMatch(/^The data of a\.v1 /);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2 * 1024);
  });

  it('refuses data that is larger than any message, without parsing it', () => {
    expect(() => decode(Buffer.alloc(LARGEST_DATA + 1, '['), spec('event'))).toThrow(expect.objectContaining({ reason: 'invalid' }));
  });

  it('is not fooled by a prototype in the data', () => {
    const data = decode(Buffer.from('{"inner":{"name":"x"},"__proto__":{"polluted":true}}'), spec('event'));
    expect((data as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
