// How many pictures lie on the canvas: one to six of groups that training never saw.
import type { Benchmark } from '../../benchmark.ts';

export const counting: Benchmark = {
  name: 'counting',
  title: 'counting, exact',
  data: 'heldout/counting',
  scorer: {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'number',
    decoding: { maxNewTokens: 8, temperature: 0 },
  },
  denominator: 'manifest',
  clusters: 'none',
  chance: 1 / 6,
};
