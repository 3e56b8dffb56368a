// Which samples of each source are taken: those with the smallest coins. The coin is a hash of uid
// and seed, so neither order nor shards matter, and a larger mixture holds the smaller one.
import { coin } from '../../core/hash.ts';

/** Coins of the samples of one source, as they come. */
export interface CoinBag {
  add(uid: string): void;
  readonly size: number;
  /** Whether a sample is among the `taken` smallest; ask for each sample once, in the same order. */
  draw(taken: number): (uid: string) => boolean;
}

export function createCoinBag(seed: number): CoinBag {
  let coins = new Float64Array(1024);
  let size = 0;
  return {
    get size() {
      return size;
    },
    add: (uid) => {
      if (size === coins.length) {
        const larger = new Float64Array(2 * size);
        larger.set(coins);
        coins = larger;
      }
      coins[size++] = coin(uid, seed, 'mixture');
    },
    draw: (taken) => {
      const sorted = coins.slice(0, size).sort();
      const last = taken === 0 ? -1 : (sorted[taken - 1] as number);
      // Of equal coins at the border, the first ones.
      let atBorder = taken - sorted.indexOf(last);
      return (uid) => {
        const value = coin(uid, seed, 'mixture');
        if (value < last) return true;
        if (value > last || taken === 0) return false;
        atBorder -= 1;
        return atBorder >= 0;
      };
    },
  };
}
