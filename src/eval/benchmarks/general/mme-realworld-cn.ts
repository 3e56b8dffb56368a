// MME-RealWorld, Chinese: 5,917 questions about large pictures.
import type { Benchmark } from '../../benchmark.ts';
import { mmeRealworld } from './mme-realworld.ts';

export const mmeRealworldCn: Benchmark = mmeRealworld('cn', 5917);
