// The box of one thing among several, or of a state on a map: half of the union must overlap.
import type { Benchmark } from '../../benchmark.ts';

export const groundMini: Benchmark = {
  name: 'ground-mini',
  title: 'Boxes (packaged)',
  suite: 'packaged',
  licence: 'CC BY-SA 4.0 (OpenMoji), ISC (US Atlas)',
  data: 'packaged/ground-mini',
  scorer: {
    kind: 'reply',
    scoring: 'box',
    decoding: { maxNewTokens: 48, temperature: 0 },
  },
  denominator: 500,
  clusters: 'group',
  baseline: 'constant',
};
