// MME-RealWorld, English: 23,609 questions about large pictures.
import type { Benchmark } from '../../benchmark.ts';
import { mmeRealworld } from './mme-realworld.ts';

export const mmeRealworldEn: Benchmark = mmeRealworld('en', 23609);
