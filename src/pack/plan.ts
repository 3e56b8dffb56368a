// Which samples share a pack: best-fit-decreasing over two budgets. Pure arithmetic on lengths;
// reads no file and knows no sample.

import { hashUint32 } from '../core/hash.ts';
import { lowerBound } from './fit/bounds.ts';
import { shuffle } from './fit/shuffle.ts';
import { SpaceIndex } from './fit/space-index.ts';

/** What a sample costs, one entry a sample. */
export interface Lengths {
  /** Tokens of the encoded chat, image tokens included; at least 1. `[samples]` */
  readonly tokens: Uint32Array;
  /** Vision patches of all its images; 0 for text. `[samples]` */
  readonly patches: Uint32Array;
}

/** What a pack may hold at most. */
export interface PackLimits {
  readonly tokens: number;
  readonly patches: number;
  /** Samples in one pack. */
  readonly segments: number;
}

/** Why a sample cannot be packed at all. */
export type OverlongReason = 'tokens' | 'patches';

export interface PackPlan {
  readonly numPacks: number;
  /** Pack of each sample; −1 for those in `overlong`. `[samples]` */
  readonly packOf: Int32Array;
  /** Samples that fit no pack, with the reason. They are listed, never cut. */
  readonly overlong: readonly { readonly sample: number; readonly reason: OverlongReason }[];
  /** Tokens used over tokens available, 0 … 1. */
  readonly fill: number;
  /** No plan has fewer packs than this. */
  readonly lowerBound: number;
  /** (numPacks − lowerBound) / lowerBound. */
  readonly gap: number;
}

/** Packs looked at for one sample, fullest first, when the second budget is what refuses it. */
const MAX_PROBES = 32;
/** Packs opened last that are looked at after those. */
const NUM_RECENT = 64;

/** Samples shorter than this part of a pack are small: sorting them gains next to no fill. */
const SMALL = 1 / 32;
/** One small sample in so many is kept back to fill the gaps, longest first. */
const FILLERS = 64;

/**
 * Best-fit-decreasing: longest sample first, each into the fullest pack that takes it, a new pack
 * where none does. The budget in shorter supply leads (it sorts the samples and indexes the
 * packs), the other one is checked. With one budget binding this is exact; where the other one
 * refuses the 32 fullest packs, the fullest of the 64 opened last is taken. Linear in the number
 * of samples, 16 bytes a sample with the lengths.
 *
 * Sorting puts samples of like length, and so of one source, into one pack; a step on it would
 * learn from that source alone. So samples of equal length are taken in an order drawn from the
 * seed, and small ones (under 1/32 of a pack) are not sorted at all: most in drawn order,
 * then one in 64, longest first, into the gaps. Same lengths, limits and seed: same plan.
 */
export function planPacks(lengths: Lengths, limits: PackLimits, seed: number): PackPlan {
  const overlong = findOverlong(lengths, limits);
  const packOf = new Int32Array(lengths.tokens.length).fill(-1);
  const skip = new Set(overlong.map((entry) => entry.sample));
  const tokens = histogramOf(lengths.tokens, limits.tokens, skip);
  const patches = histogramOf(lengths.patches, limits.patches, skip);
  const packs = new OpenPacks(lengths, limits, packOf);
  if (patches.total / limits.patches <= tokens.total / limits.tokens) {
    packs.place(decreasing(lengths.tokens, limits.tokens, seed, skip), 'tokens');
  } else {
    const order = decreasing(lengths.patches, limits.patches, seed, skip);
    const numImages = order.length - (patches.histogram[0] ?? 0);
    packs.place(order.subarray(0, numImages), 'patches');
    const text = order
      .subarray(numImages)
      .sort((a, b) => at(lengths.tokens, b) - at(lengths.tokens, a));
    packs.place(text, 'tokens');
  }
  const bound = Math.max(
    lowerBound(tokens.histogram, limits.tokens),
    lowerBound(patches.histogram, limits.patches),
    Math.ceil((packOf.length - skip.size) / limits.segments),
  );
  return {
    numPacks: packs.count,
    packOf,
    overlong,
    fill: packs.count === 0 ? 0 : tokens.total / (packs.count * limits.tokens),
    lowerBound: bound,
    gap: bound === 0 ? 0 : (packs.count - bound) / bound,
  };
}

/** The samples of every pack: those of pack p are `members[starts[p] … starts[p + 1]]`, ascending. */
export function packMembers(plan: PackPlan): { starts: Uint32Array; members: Uint32Array } {
  const starts = new Uint32Array(plan.numPacks + 1);
  for (const pack of plan.packOf) {
    if (pack >= 0) starts[pack + 1] = at(starts, pack + 1) + 1;
  }
  for (let pack = 0; pack < plan.numPacks; pack += 1) {
    starts[pack + 1] = at(starts, pack + 1) + at(starts, pack);
  }
  const members = new Uint32Array(at(starts, plan.numPacks));
  const cursor = starts.slice();
  plan.packOf.forEach((pack, sample) => {
    if (pack < 0) return;
    members[at(cursor, pack)] = sample;
    cursor[pack] = at(cursor, pack) + 1;
  });
  return { starts, members };
}

/** The packs while they are being filled. */
class OpenPacks {
  count = 0;
  readonly #lengths: Lengths;
  readonly #limits: PackLimits;
  readonly #packOf: Int32Array;
  /** Room left in each pack, one array a budget. */
  #tokens: Int32Array = new Int32Array(1024);
  #patches: Int32Array = new Int32Array(1024);
  #segments: Int32Array = new Int32Array(1024);

  constructor(lengths: Lengths, limits: PackLimits, packOf: Int32Array) {
    this.#lengths = lengths;
    this.#limits = limits;
    this.#packOf = packOf;
  }

  /** Places samples in the given order, led by one budget. */
  place(order: Uint32Array, lead: 'tokens' | 'patches'): void {
    const index = new SpaceIndex(this.#limits[lead]);
    const room = (pack: number): number =>
      at(lead === 'tokens' ? this.#tokens : this.#patches, pack);
    // A pack is open while it can take another segment of at least one token.
    const open = (pack: number): boolean =>
      at(this.#segments, pack) > 0 && at(this.#tokens, pack) > 0;
    for (let pack = 0; pack < this.count; pack += 1) if (open(pack)) index.add(pack, room(pack));
    let tokens = 0;
    let patches = 0;
    const fits = (pack: number): boolean =>
      at(this.#tokens, pack) >= tokens && at(this.#patches, pack) >= patches;
    for (const sample of order) {
      tokens = at(this.#lengths.tokens, sample);
      patches = at(this.#lengths.patches, sample);
      const length = lead === 'tokens' ? tokens : patches;
      let pack = index.find(length, MAX_PROBES, fits);
      if (pack < 0) pack = this.#findRecent((recent) => open(recent) && fits(recent), room);
      if (pack >= 0) index.remove(pack, room(pack));
      else pack = this.#create();
      this.#packOf[sample] = pack;
      this.#tokens[pack] = at(this.#tokens, pack) - tokens;
      this.#patches[pack] = at(this.#patches, pack) - patches;
      this.#segments[pack] = at(this.#segments, pack) - 1;
      if (open(pack)) index.add(pack, room(pack));
    }
  }

  /** The fullest of the packs opened last that `fits` accepts, or −1. */
  #findRecent(fits: (pack: number) => boolean, room: (pack: number) => number): number {
    let best = -1;
    for (let pack = Math.max(0, this.count - NUM_RECENT); pack < this.count; pack += 1) {
      if (fits(pack) && (best < 0 || room(pack) < room(best))) best = pack;
    }
    return best;
  }

  #create(): number {
    const pack = this.count;
    this.count += 1;
    if (this.count > this.#tokens.length) {
      this.#tokens = doubled(this.#tokens);
      this.#patches = doubled(this.#patches);
      this.#segments = doubled(this.#segments);
    }
    this.#tokens[pack] = this.#limits.tokens;
    this.#patches[pack] = this.#limits.patches;
    this.#segments[pack] = this.#limits.segments;
    return pack;
  }
}

function doubled(values: Int32Array): Int32Array {
  const grown = new Int32Array(values.length * 2);
  grown.set(values);
  return grown;
}

function findOverlong(lengths: Lengths, limits: PackLimits): PackPlan['overlong'] {
  const found: { sample: number; reason: OverlongReason }[] = [];
  for (let sample = 0; sample < lengths.tokens.length; sample += 1) {
    if (at(lengths.tokens, sample) > limits.tokens) found.push({ sample, reason: 'tokens' });
    else if (at(lengths.patches, sample) > limits.patches) {
      found.push({ sample, reason: 'patches' });
    }
  }
  return found;
}

function histogramOf(
  values: Uint32Array,
  largest: number,
  skip: ReadonlySet<number>,
): { histogram: Float64Array; total: number } {
  const histogram = new Float64Array(largest + 1);
  let total = 0;
  for (let sample = 0; sample < values.length; sample += 1) {
    if (skip.size > 0 && skip.has(sample)) continue;
    const value = at(values, sample);
    histogram[value] = at(histogram, value) + 1;
    total += value;
  }
  return { histogram, total };
}

/**
 * Samples by falling value (counting sort), each run of equal values in a seeded random order.
 * Small values that are not fillers count as one value, the largest small one.
 */
function decreasing(
  values: Uint32Array,
  largest: number,
  seed: number,
  skip: ReadonlySet<number>,
): Uint32Array {
  const small = Math.floor(largest * SMALL);
  const rank = (sample: number): number => {
    const value = at(values, sample);
    if (value >= small || value === 0) return value;
    return hashUint32('filler', seed, sample) % FILLERS === 0 ? value : small;
  };
  const histogram = new Float64Array(largest + 1);
  for (let sample = 0; sample < values.length; sample += 1) {
    if (skip.size > 0 && skip.has(sample)) continue;
    const value = rank(sample);
    histogram[value] = at(histogram, value) + 1;
  }
  const starts = new Uint32Array(largest + 2);
  for (let value = largest; value >= 0; value -= 1) {
    starts[value] = at(starts, value + 1) + at(histogram, value);
  }
  // starts[v] is now the end of run v; filling from the back turns it into the start.
  const order = new Uint32Array(values.length - skip.size);
  for (let sample = values.length - 1; sample >= 0; sample -= 1) {
    if (skip.size > 0 && skip.has(sample)) continue;
    const value = rank(sample);
    const slot = at(starts, value) - 1;
    starts[value] = slot;
    order[slot] = sample;
  }
  for (let value = 0; value <= largest; value += 1) {
    const from = at(starts, value);
    shuffle(order.subarray(from, from + at(histogram, value)), hashUint32('plan', seed, value));
  }
  return order;
}

/** Reads an entry that is known to be there. */
function at(values: Uint32Array | Int32Array | Float64Array, index: number): number {
  return values[index] ?? 0;
}
