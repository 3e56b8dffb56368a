// The n-th smallest of many numbers that come one by one: 8 bytes each, no sort of all of them.

const MIN_BLOCK = 1 << 8;
const MAX_BLOCK = 1 << 20;
const NUM_BUCKETS = 1 << 16;

/** Numbers ≥ 0 in the order they came. */
export interface NumberHeap {
  push(value: number): void;
  /** The n-th smallest finite one, n from 1; Infinity when there are fewer, −1 for n < 1. */
  smallest(n: number): number;
}

export function createHeap(): NumberHeap {
  const blocks: Float64Array[] = [];
  let last = new Float64Array(0);
  let used = 0;
  return {
    push: (value) => {
      if (used === last.length) {
        last = new Float64Array(Math.min(MAX_BLOCK, Math.max(MIN_BLOCK, 2 * last.length)));
        blocks.push(last);
        used = 0;
      }
      last[used++] = value;
    },
    smallest: (n) => {
      const filled = blocks.map((block) => (block === last ? block.subarray(0, used) : block));
      return n < 1 ? -1 : select(filled, n);
    },
  };
}

function select(blocks: readonly Float64Array[], n: number): number {
  const total = blocks.reduce((sum, block) => sum + block.length, 0);
  const few = total <= NUM_BUCKETS;
  const { bucket, before } = few ? { bucket: -1, before: 0 } : findBucket(blocks, n);
  const near: number[] = [];
  for (const block of blocks) {
    for (const value of block) if (few || bucketOf(value) === bucket) near.push(value);
  }
  return Float64Array.from(near).sort()[n - 1 - before] ?? Number.POSITIVE_INFINITY;
}

/** The bucket that holds the n-th smallest, and how many numbers lie in those before it. */
function findBucket(blocks: readonly Float64Array[], n: number) {
  const buckets = new Float64Array(NUM_BUCKETS);
  for (const block of blocks) {
    for (const value of block) {
      const bucket = bucketOf(value);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
  }
  let before = 0;
  for (const [bucket, count] of buckets.entries()) {
    if (before + count >= n) return { bucket, before };
    before += count;
  }
  return { bucket: -1, before };
}

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);

/** Sign, exponent and 4 bits of the mantissa: for numbers ≥ 0 it grows with them. */
function bucketOf(value: number): number {
  float64[0] = value + 0; // −0 becomes 0
  return (words[1] as number) >>> 16;
}
