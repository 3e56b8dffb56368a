// One to nine pictures on a page, alike or mixed.
import type { Benchmark } from '../../benchmark.ts';

export const countMini: Benchmark = {
  name: 'count-mini',
  title: 'Counting (packaged)',
  suite: 'packaged',
  licence: 'CC BY-SA 4.0 (OpenMoji)',
  data: 'packaged/count-mini',
  scorer: {
    kind: 'reply',
    scoring: 'pixmo-count',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  denominator: 300,
  clusters: 'group',
  baseline: 'constant',
};
