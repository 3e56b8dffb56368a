// Which country or state is red, its capital, and whether the blue one touches it.
import type { Benchmark } from '../../benchmark.ts';

export const mapMini: Benchmark = {
  name: 'map-mini',
  title: 'Maps (packaged)',
  suite: 'packaged',
  licence: 'Natural Earth (public domain), ODbL (country names)',
  data: 'packaged/map-mini',
  scorer: {
    kind: 'reply',
    scoring: 'chartqa',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  denominator: 450,
  clusters: 'group',
  baseline: 'constant',
};
