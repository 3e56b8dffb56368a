// Handwritten numbers of one to three digits that training never saw, read aloud exactly.
import type { Benchmark } from '../../benchmark.ts';

export const numbers: Benchmark = {
  name: 'numbers',
  title: 'handwritten numbers, exact',
  data: 'heldout/numbers',
  scorer: {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'number',
    decoding: { maxNewTokens: 8, temperature: 0 },
  },
  denominator: 'manifest',
  clusters: 'none',
};
