import type { GatewayConfig } from '../gateway.config';
import { WaitingRoom } from './waiting-room';

const room = (waitsPerCaller: number, waitsInAll: number): WaitingRoom => new WaitingRoom({ waitsPerCaller, waitsInAll } as GatewayConfig);
const fill = (of: WaitingRoom, caller: string, places: number): (() => void)[] => Array.from({ length: places }, () => of.enter(caller));
const FULL = expect.objectContaining({ status: 429, headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) as string } }) as Error;

describe('the places for requests that wait', () => {
  it('are limited for each caller, and another caller has his own', () => {
    const small = room(3, 100);
    fill(small, 'alice', 3);
    expect(() => small.enter('alice')).toThrow(FULL);
    expect(() => fill(small, 'bob', 3)).not.toThrow();
  });

  it('are limited in all', () => {
    const small = room(3, 5);
    fill(small, 'alice', 3);
    fill(small, 'bob', 2);
    expect(() => small.enter('carol')).toThrow(FULL);
  });

  it('are free again when they are left, and only once each', () => {
    const small = room(2, 3);
    for (let round = 0; round < 100; round++) {
      const leave = fill(small, 'alice', 2);
      expect(() => small.enter('alice')).toThrow(FULL);
      for (const each of [...leave, ...leave]) each();
    }
    const others = fill(small, 'bob', 1);
    fill(small, 'alice', 2);
    expect(() => small.enter('carol')).toThrow(FULL);
    others[0]?.();
    expect(() => small.enter('carol')).not.toThrow();
  });
});
