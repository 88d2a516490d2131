/** Random choices that are the same for the same seed. */
export interface Random {
  /** From 0, below 1. */
  next(): number;
  chance(share: number): boolean;
  /** Both ends included. */
  integer(from: number, to: number): number;
  pick<T>(values: readonly T[]): T;
}

/** Mulberry32: 32 bits of state are plenty for choosing test cases. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    chance: share => next() < share,
    integer: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: values => values[Math.floor(next() * values.length)]!,
  };
}
