// "Is this X?" about drawings in the unseen style; half of the answers are yes.
import type { Benchmark } from '../../benchmark.ts';

export const yesNo: Benchmark = {
  name: 'yes-no',
  title: 'yes or no, unseen style',
  data: 'heldout/yes-no',
  scorer: {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'text',
    answers: ['yes', 'no'],
    decoding: { maxNewTokens: 8, temperature: 0 },
  },
  denominator: 'manifest',
  clusters: 'group',
  chance: 0.5,
};
