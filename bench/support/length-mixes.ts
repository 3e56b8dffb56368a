// Seeded lengths shaped like real data, for capacity 8192: what the packing benchmark plans.

import { createRandom } from '../../src/core/hash.ts';
import type { Lengths } from '../../src/pack/plan.ts';

export const CAPACITY = 8192;

export type Mix = 'caption' | 'sft' | 'upstream' | 'fixed' | 'large';
export const MIXES: readonly Mix[] = ['caption', 'sft', 'upstream', 'fixed', 'large'];

/** What each mix is. */
export const SHAPES: Readonly<Record<Mix, string>> = {
  caption: 'lognormal(6.35, 0.72): eleven captions a pack',
  sft: '85 % lognormal(6.6, 0.8), 15 % lognormal(8.0, 0.5)',
  upstream: '75 % in 36 … 1023, few of them short, 20 % in 1024 … 2047, 5 % above',
  fixed: 'five image sizes and up to 60 tokens of text',
  large: 'uniform in 0.2 … 0.7 of a pack',
};

const SIZES: readonly [number, number][] = [
  [784, 0.15],
  [1156, 0.2],
  [2304, 0.15],
  [2916, 0.2],
  [3249, 0.3],
];

/** Tokens and patches of `count` samples; 70 % of the tokens are image tokens of 4 patches. */
export function drawMix(mix: Mix, count: number, seed: number): Lengths {
  const random = createRandom('mix', mix, seed);
  const normal = (mean: number, deviation: number): number =>
    Math.exp(mean + deviation * random.normal());
  const draw: Readonly<Record<Mix, () => number>> = {
    caption: () => normal(6.35, 0.72),
    sft: () => (random.next() < 0.85 ? normal(6.6, 0.8) : normal(8, 0.5)),
    upstream: () => {
      const part = random.next();
      if (part < 0.75) return 36 + 987 * random.next() ** 0.35;
      if (part < 0.95) return 1024 + 1024 * random.next();
      return 2048 + 6144 * random.next() ** 2.67;
    },
    fixed: () => {
      let part = random.next();
      const [size] = SIZES.find(([, share]) => {
        part -= share;
        return part < 0;
      }) ?? [3249];
      return size + random.int(61);
    },
    large: () => (0.2 + 0.5 * random.next()) * CAPACITY,
  };
  const tokens = new Uint32Array(count);
  const patches = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) {
    const length = Math.max(1, Math.min(CAPACITY, Math.round(draw[mix]())));
    tokens[i] = length;
    patches[i] = 4 * Math.floor(0.7 * length);
  }
  return { tokens, patches };
}
