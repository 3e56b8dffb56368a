// The benchmarks on sets that the demo makes, in the order of its table.
import type { Benchmark } from '../../benchmark.ts';
import { captions } from './captions.ts';
import { colour } from './colour.ts';
import { counting } from './counting.ts';
import { numbers } from './numbers.ts';
import { position } from './position.ts';
import { unseenConcepts } from './unseen-concepts.ts';
import { unseenStyle } from './unseen-style.ts';
import { yesNo } from './yes-no.ts';

export const DEMO_BENCHMARKS: readonly Benchmark[] = [
  unseenStyle,
  unseenConcepts,
  numbers,
  counting,
  yesNo,
  colour,
  position,
  captions,
];
