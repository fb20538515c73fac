/** A range of IPv4 addresses: the first of them as a number, and how many leading bits all have in common. */
export interface Subnet {
  readonly first: number;
  readonly prefix: number;
}

/** The network of a pod has 16 addresses: two that no container can have, the bridge's, the pod's, and 12 for containers of Reprise itself. */
export const POD_PREFIX = 28;
/** A larger pool is more likely a typing error than wanted. */
const WIDEST_POOL = 8;

const CIDR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/;

/** Null where the text is no IPv4 subnet. Bits behind the prefix are ignored. */
export function parseSubnet(text: string): Subnet | null {
  const parts = CIDR.exec(text)?.slice(1).map(Number);
  const [prefix] = parts?.splice(4) ?? [];
  if (parts === undefined || prefix === undefined || prefix > 32 || parts.some((part) => part > 255)) return null;
  const address = parts.reduce((sum, part) => sum * 256 + part, 0);
  return { first: address - (address % sizeOf(prefix)), prefix };
}

/** The subnet that all networks of pods are cut out of; null where the text names none, or one of a size that does not serve. */
export function parsePool(text: string): Subnet | null {
  const pool = parseSubnet(text);
  const isExact = pool !== null && formatSubnet(pool) === text;
  return isExact && pool.prefix >= WIDEST_POOL && pool.prefix <= POD_PREFIX ? pool : null;
}

export function formatSubnet({ first, prefix }: Subnet): string {
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${parts.join('.')}/${prefix}`;
}

/** How many networks of pods fit in. */
export function roomIn(pool: Subnet): number {
  return sizeOf(pool.prefix) / sizeOf(POD_PREFIX);
}

/**
 * The next subnet for a pod that overlaps none of those taken; null where the pool is used up.
 * @param start where to begin to look, any whole number from 0: those who make networks at the same time begin at different places
 */
export function freeSubnet(pool: Subnet, taken: readonly Subnet[], start: number): Subnet | null {
  const room = roomIn(pool);
  const used = new Set(taken.flatMap((subnet) => [...placesOf(pool, subnet)]));
  for (let step = 0; step < room && used.size < room; step++) {
    const place = (start + step) % room;
    if (!used.has(place)) return { first: pool.first + place * sizeOf(POD_PREFIX), prefix: POD_PREFIX };
  }
  return null;
}

/** Which of the pool's places a subnet overlaps. */
function* placesOf(pool: Subnet, { first, prefix }: Subnet): Generator<number> {
  const placeOf = (address: number): number => Math.floor((address - pool.first) / sizeOf(POD_PREFIX));
  const last = Math.min(placeOf(first + sizeOf(prefix) - 1), roomIn(pool) - 1);
  for (let place = Math.max(placeOf(first), 0); place <= last; place++) yield place;
}

function sizeOf(prefix: number): number {
  return 2 ** (32 - prefix);
}
