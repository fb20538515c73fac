import { formatSubnet, freeSubnet, parsePool, parseSubnet, roomIn, type Subnet } from './subnets';

const pool = (text: string): Subnet => parsePool(text)!;
const taken = (...texts: string[]): Subnet[] => texts.map((text) => parseSubnet(text)!);
const next = (from: string, used: Subnet[], start = 0): string | null => {
  const subnet = freeSubnet(pool(from), used, start);
  return subnet && formatSubnet(subnet);
};

describe('the subnets of pods', () => {
  it.each(['10.213.0.0/16', '10.0.0.0/8', '192.168.7.16/28', '172.16.0.0/12'])('are cut out of %s', (text) => {
    expect(formatSubnet(pool(text))).toBe(text);
  });

  it.each(['10.213.0.0', '10.213.0.1/16', '10.213.0.0/29', '0.0.0.0/0', '10.0.0.0/7', '10.256.0.0/16', 'fd00::/64', ' 10.0.0.0/16', ''])(
    'are not cut out of "%s"',
    (text) => expect(parsePool(text)).toBeNull(),
  );

  it('are as many as fit into the pool', () => {
    expect(roomIn(pool('10.213.0.0/16'))).toBe(4096);
    expect(roomIn(pool('10.213.0.0/28'))).toBe(1);
  });

  it('begin where they are told to, and go on from the end at the beginning', () => {
    expect(next('10.213.0.0/16', [])).toBe('10.213.0.0/28');
    expect(next('10.213.0.0/16', [], 17)).toBe('10.213.1.16/28');
    expect(next('10.213.0.0/26', taken('10.213.0.48/28'), 3)).toBe('10.213.0.0/28');
    expect(next('10.213.0.0/26', [], 4_294_967_295)).toBe('10.213.0.48/28');
    expect(next('240.0.0.0/8', [], 1_048_575)).toBe('240.255.255.240/28');
  });

  it('overlap no other network, whether it is smaller, larger or the same', () => {
    expect(next('10.213.0.0/24', taken('10.213.0.0/28'))).toBe('10.213.0.16/28');
    expect(next('10.213.0.0/24', taken('10.213.0.4/30', '10.213.0.31/32'))).toBe('10.213.0.32/28');
    expect(next('10.213.0.0/24', taken('10.213.0.0/25'))).toBe('10.213.0.128/28');
    expect(next('10.213.0.0/24', taken('10.212.255.0/24', '10.213.1.0/24'))).toBe('10.213.0.0/28');
  });

  it('are used up where every one overlaps another network', () => {
    expect(next('10.213.0.0/24', taken('10.0.0.0/8'))).toBeNull();
    expect(next('10.213.0.0/27', taken('10.213.0.0/28', '10.213.0.16/28'), 5)).toBeNull();
  });

  it('given to one after another never overlap', () => {
    const used: Subnet[] = [];
    for (let start = 0; used.length < 64; start += 29) used.push(freeSubnet(pool('10.213.4.0/22'), used, start)!);
    expect(new Set(used.map(formatSubnet)).size).toBe(64);
    expect(freeSubnet(pool('10.213.4.0/22'), used, 7)).toBeNull();
  });
});
