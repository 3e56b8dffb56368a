// Whose flag it is, the capital, the part of the world, which of two countries is larger.
import type { Benchmark } from '../../benchmark.ts';

export const flagMini: Benchmark = {
  name: 'flag-mini',
  title: 'Flags (packaged)',
  suite: 'packaged',
  licence: 'MIT (flags), ODbL (countries)',
  data: 'packaged/flag-mini',
  scorer: {
    kind: 'reply',
    scoring: 'chartqa',
    decoding: { maxNewTokens: 16, temperature: 0 },
  },
  denominator: 500,
  clusters: 'group',
  baseline: 'constant',
};
