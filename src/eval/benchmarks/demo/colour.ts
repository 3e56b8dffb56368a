// The colour of unseen digits, or of the paper under pictures of unseen groups.
import type { Benchmark } from '../../benchmark.ts';

export const colour: Benchmark = {
  name: 'colour',
  title: 'colours, exact',
  data: 'heldout/colour',
  scorer: {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'text',
    decoding: { maxNewTokens: 8, temperature: 0 },
  },
  denominator: 'manifest',
  clusters: 'none',
};
