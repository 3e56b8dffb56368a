// Concepts that training never met, in its own drawing styles. Options are the four labels.
// By PMI: the raw loss prefers labels memorised in training.
import type { Benchmark } from '../../benchmark.ts';
import { byPmi } from '../../scorers/choice.ts';

export const unseenConcepts: Benchmark = {
  name: 'unseen-concepts',
  title: 'unseen concepts, 4 options',
  data: 'heldout/unseen-concepts',
  scorer: byPmi(),
  denominator: 'manifest',
  clusters: 'group',
  chance: 0.25,
};
