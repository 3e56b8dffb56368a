// The split rule: a group of samples is on one side for ever, whatever else is in the corpus.
import { sha256Hex } from '../core/hash.ts';
import type { Split } from './sample.ts';

const TEST_BELOW = 5;
const VAL_BELOW = 10;

/**
 * The side of a group: `bucket = first 8 hex digits of SHA-256(group) mod 100`; below 5 is test,
 * below 10 is val, the rest is train.
 */
export function splitOf(group: string): Split {
  const bucket = Number.parseInt(sha256Hex(group).slice(0, 8), 16) % 100;
  if (bucket < TEST_BELOW) return 'test';
  return bucket < VAL_BELOW ? 'val' : 'train';
}
