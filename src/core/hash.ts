// Seeded decisions: hashes, coins and random streams that depend on nothing but their parts.
// Not cryptography, except sha256Hex, which names bytes.

import { createHash } from 'node:crypto';

export type HashPart = string | number;

/** A reproducible stream of random numbers. The same parts give the same stream for ever. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** Uniform in [lo, hi). */
  range(lo: number, hi: number): number;
  /** One element, uniformly. Throws RangeError for an empty list. */
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** Standard normal (Box–Muller). */
  normal(): number;
}

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);

/**
 * Two 32-bit lanes over the parts. A part is mixed in with its type and length, so that
 * ('ab', 'c'), ('a', 'bc') and ('1') against (1) all differ.
 */
function mixParts(parts: readonly HashPart[], salt: number): readonly [number, number] {
  let a = 0x9e3779b9 ^ salt;
  let b = 0x85ebca6b ^ parts.length;
  const mix = (word: number): void => {
    a = Math.imul(a ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0x5f356495);
    b ^= b >>> 13;
  };
  for (const part of parts) {
    if (typeof part === 'number') {
      float64[0] = part + 0; // -0 becomes 0
      mix(1);
      mix(words[0] ?? 0);
      mix(words[1] ?? 0);
    } else {
      mix(2);
      mix(part.length);
      for (let i = 0; i < part.length; i++) mix(part.charCodeAt(i));
    }
  }
  return [finalise(a ^ (b >>> 16)), finalise(b ^ Math.imul(a, 0xc2b2ae35))];
}

/** The 32-bit finaliser of MurmurHash3: every input bit reaches every output bit. */
function finalise(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function unit(high: number, low: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
}

/** A stable, well mixed unsigned 32-bit hash of its parts. */
export function hashUint32(...parts: readonly HashPart[]): number {
  return mixParts(parts, 0)[0];
}

/** A stable number in [0, 1) with 53 bits: the seeded coin of every decision about a sample. */
export function coin(...parts: readonly HashPart[]): number {
  const [a, b] = mixParts(parts, 0);
  return unit(a, b);
}

/** SHA-256 of bytes or of UTF-8 text, as 64 hexadecimal digits. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * A random stream named by its parts, e.g. `createRandom(uid, seed, 'augment')`.
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state.
 */
export function createRandom(...parts: readonly HashPart[]): Random {
  let [a, b] = mixParts(parts, 0);
  let [c] = mixParts(parts, 1);
  let counter = 1;
  const word = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) word();
  const next = (): number => unit(word(), word());
  const int = (n: number): number => Math.floor(next() * n);
  return {
    next,
    int,
    range: (lo, hi) => lo + (hi - lo) * next(),
    pick: (items) => pickAt(items, int(items.length)),
    shuffle: (items) => shuffled(items, int),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

function pickAt<T>(items: readonly T[], index: number): T {
  if (items.length === 0) throw new RangeError('expected a list to pick from, came an empty one');
  return items[index] as T;
}

function shuffled<T>(items: readonly T[], int: (n: number) => number): T[] {
  const out = items.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const j = int(i + 1);
    const swap = out[i] as T;
    out[i] = out[j] as T;
    out[j] = swap;
  }
  return out;
}
