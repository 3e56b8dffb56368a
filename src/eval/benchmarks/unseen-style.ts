// Known concepts in a drawing style that training never met. Options are the four labels.
import type { Benchmark } from '../benchmark.ts';
import { byMeanLoss } from '../scorers/choice.ts';

export const unseenStyle: Benchmark = {
  name: 'unseen-style',
  title: 'unseen style, 4 options',
  data: 'heldout/unseen-style',
  scorer: byMeanLoss(),
  denominator: 'manifest',
  clusters: 'group',
  chance: 0.25,
};
