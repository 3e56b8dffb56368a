// One thing on white, to be named: BLEU-4 and CIDEr-D against its label beside the share of equal ones.
import type { Benchmark } from '../../benchmark.ts';

export const captionMini: Benchmark = {
  name: 'caption-mini',
  title: 'Captions (packaged)',
  suite: 'packaged',
  licence: 'CC BY-SA 4.0 (OpenMoji), MIT (labels)',
  data: 'packaged/caption-mini',
  scorer: {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'text',
    captions: true,
    decoding: { maxNewTokens: 32, temperature: 0 },
  },
  denominator: 300,
  clusters: 'group',
  baseline: 'constant',
};
