// MMBench Chinese test v1.0 of the paper, whose answers are not public (v1.1 lies beside it as TSV with
// answers), and its dev split, the local proxy.
import type { Benchmark } from '../../benchmark.ts';
import { mmbench } from './mmbench.ts';

export const mmbenchCn: Benchmark = mmbench('cn', 'test');
export const mmbenchCnDev: Benchmark = mmbench('cn', 'dev');
