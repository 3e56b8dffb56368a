// Charts of real tables, four questions each: values, extremes, differences, counts, comparisons.
import type { Benchmark } from '../../benchmark.ts';

export const chartMini: Benchmark = {
  name: 'chart-mini',
  title: 'Charts (packaged)',
  suite: 'packaged',
  licence: 'CC BY 4.0 (Gapminder), US government works',
  data: 'packaged/chart-mini',
  scorer: {
    kind: 'reply',
    scoring: 'chartqa',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  denominator: 500,
  clusters: 'group',
  baseline: 'constant',
};
