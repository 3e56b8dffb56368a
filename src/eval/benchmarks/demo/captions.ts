// Free captions of known concepts in a drawing style that training never met, beside the label.
import type { Benchmark } from '../../benchmark.ts';

export const captions: Benchmark = {
  name: 'captions',
  title: 'captions, unseen style',
  data: 'heldout/unseen-style',
  scorer: {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'text',
    captions: true,
    decoding: { maxNewTokens: 32, temperature: 0 },
  },
  denominator: 'manifest',
  clusters: 'group',
};
