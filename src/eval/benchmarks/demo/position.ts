// In which corner of the canvas a picture of an unseen group lies.
import type { Benchmark } from '../../benchmark.ts';

export const position: Benchmark = {
  name: 'position',
  title: 'positions, exact',
  data: 'heldout/position',
  scorer: {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'text',
    answers: ['top left', 'top right', 'bottom left', 'bottom right'],
    decoding: { maxNewTokens: 8, temperature: 0 },
  },
  denominator: 'manifest',
  clusters: 'group',
  chance: 0.25,
};
