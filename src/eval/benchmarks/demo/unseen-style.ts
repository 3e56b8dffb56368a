// Known concepts in a drawing style that training never met. Options are four labels.
// The rule is that of unseen-concepts; docs/eval.md has the formula.
import type { Benchmark } from '../../benchmark.ts';
import { byPmi } from '../../scorers/choice.ts';

export const unseenStyle: Benchmark = {
  name: 'unseen-style',
  title: 'unseen style, 4 options',
  data: 'heldout/unseen-style',
  scorer: byPmi(),
  denominator: 'manifest',
  clusters: 'group',
  chance: 0.25,
};
