// MMBench English test v1.0 of the paper, whose answers are not public (v1.1 lies beside it as TSV with
// answers), and its dev split, the local proxy.
import type { Benchmark } from '../../benchmark.ts';
import { mmbench } from './mmbench.ts';

export const mmbenchEn: Benchmark = mmbench('en', 'test');
export const mmbenchEnDev: Benchmark = mmbench('en', 'dev');
