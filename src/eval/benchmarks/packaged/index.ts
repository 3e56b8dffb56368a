// The benchmarks on the project's own sets, which src/synth makes of packages.
import type { Benchmark } from '../../benchmark.ts';
import { captionMini } from './captioning.ts';
import { chartMini } from './chart.ts';
import { countMini } from './counting.ts';
import { flagMini } from './flag.ts';
import { groundMini } from './grounding.ts';
import { mapMini } from './map.ts';
import { ocrMini } from './ocr.ts';

export const PACKAGED_BENCHMARKS: readonly Benchmark[] = [
  chartMini,
  mapMini,
  flagMini,
  ocrMini,
  countMini,
  groundMini,
  captionMini,
];
