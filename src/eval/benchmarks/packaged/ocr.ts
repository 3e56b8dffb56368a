// Printed lines in six fonts, and receipts: a price and the total. Scored by edit distance.
import type { Benchmark } from '../../benchmark.ts';

export const ocrMini: Benchmark = {
  name: 'ocr-mini',
  title: 'Printed text (packaged)',
  suite: 'packaged',
  licence: 'DejaVu fonts licence, WordNet licence, MIT (labels)',
  data: 'packaged/ocr-mini',
  scorer: {
    kind: 'reply',
    scoring: 'docvqa',
    decoding: { maxNewTokens: 32, temperature: 0 },
  },
  denominator: 500,
  clusters: 'group',
  baseline: 'constant',
};
