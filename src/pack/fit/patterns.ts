// The third planner, for lengths that leave gaps whatever their order: the linear relaxation over
// classes of length says which compositions to use how often, real samples then fill them.

import { createRandom, hashUint32 } from '../../core/hash.ts';
import { type Classes, relax } from './columns.ts';
import { Shelf } from './lookup/shelf.ts';
import { type Packs, PackWriter, type Problem } from './problem.ts';
import { shuffle } from './shuffle.ts';
import { packBySlack } from './slack.ts';

/** Classes of length in one relaxation; more are finer and slower (cubic). */
const MAX_CLASSES = 160;
/** Samples for each class at least: patterns used less than once are of no use. */
const SAMPLES_PER_CLASS = 32;
/** Classes of the bound, which coarse ones hardly weaken. */
const BOUND_CLASSES = 96;
/** Units of class length in a capacity; the knapsack's table. */
const MAX_UNITS = 8192;
/** Relaxations one after the other, each of what the one before left. */
const MAX_PASSES = 4;

/**
 * A lower bound from the relaxation over lengths rounded down to classes: every real pack is a
 * pack of the rounded lengths.
 *
 * @param histogram samples of each length, `[capacity + 1]`.
 */
export function relaxationBound(histogram: Float64Array, capacity: number): number {
  const classes = classify(histogram, capacity, BOUND_CLASSES, Math.floor);
  if (classes.lengths.length === 0) return 0;
  return Math.ceil(relax(classes).bound * (1 - 1e-9) - 1e-6);
}

/**
 * Plans by patterns. The leading budget must be the only one that binds. Samples of each class are
 * taken at random, the last of a pack is the longest that fits; what the classes' rounding leaves
 * is relaxed again, and the rest packed by minimum slack. 8 bytes a sample.
 */
export function packByPatterns(problem: Problem): Packs {
  const shelf = new Shelf(problem);
  const writer = new PackWriter(new Uint32Array(problem.numItems), problem.numItems >>> 1);
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const before = shelf.numLeft;
    const most = Math.min(MAX_CLASSES, Math.max(8, Math.floor(before / SAMPLES_PER_CLASS)));
    const classes = classify(shelf.counts, problem.leadCapacity, most, Math.round);
    if (classes.lengths.length > 0) fillPatterns(classes, shelf, writer, problem, pass);
    if (shelf.numLeft > 0.8 * before) break;
  }
  packBySlack(shelf, writer, problem.leadCapacity);
  return writer.finish();
}

interface SizedClasses extends Classes {
  /** Tokens in one unit of the classes' lengths. */
  readonly width: number;
}

/** Lengths in units of the smallest width that leaves at most `most` classes. */
function classify(
  histogram: Float64Array,
  capacity: number,
  most: number,
  round: (value: number) => number,
): SizedClasses {
  const numLengths = histogram.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  const least = Math.max(1, Math.ceil(numLengths / most), Math.ceil(capacity / MAX_UNITS));
  for (let width = least; ; width += 1) {
    const counts = new Map<number, number>();
    histogram.forEach((count, length) => {
      const unit = round(length / width);
      if (count > 0 && unit > 0) counts.set(unit, (counts.get(unit) ?? 0) + count);
    });
    const limit = Math.floor(capacity / width);
    const lengths = [...counts.keys()].filter((unit) => unit <= limit);
    if (lengths.length > most) continue;
    return {
      lengths,
      counts: lengths.map((unit) => counts.get(unit) ?? 0),
      capacity: limit,
      width,
    };
  }
}

/** Fills whole packs of every pattern, in random turns so that all classes thin out evenly. */
function fillPatterns(
  classes: SizedClasses,
  shelf: Shelf,
  writer: PackWriter,
  problem: Problem,
  pass: number,
): void {
  const { width, lengths } = classes;
  const patterns = relax(classes).patterns.map(({ pattern, packs }) => ({
    centres: expand(pattern, lengths, width),
    packs: Math.floor(packs + 1e-6),
  }));
  const turns = new Uint32Array(patterns.reduce((sum, { packs }) => sum + packs, 0));
  let cursor = 0;
  patterns.forEach(({ packs }, index) => {
    turns.fill(index, cursor, cursor + packs);
    cursor += packs;
  });
  shuffle(turns, hashUint32('turns', problem.seed, pass));
  const random = createRandom('patterns', problem.seed, pass);
  for (const turn of turns) {
    const { centres } = patterns[turn] ?? { centres: [] };
    const chosen = choose(centres, width, problem.leadCapacity, shelf, random.next);
    if (chosen === undefined) continue;
    for (const length of chosen) writer.add(shelf.draw(length));
    writer.close();
  }
}

/** Lengths at the centres of a pattern's classes, falling. */
function expand(pattern: readonly number[], lengths: readonly number[], width: number): number[] {
  const centres: number[] = [];
  for (let i = 0; i < pattern.length; i += 2) {
    const centre = (lengths[pattern[i] ?? 0] ?? 0) * width;
    for (let times = pattern[i + 1] ?? 0; times > 0; times -= 1) centres.push(centre);
  }
  return centres.sort((a, b) => b - a);
}

/**
 * Real lengths for a pattern: a random one of each class, the last one as long as fits. Undefined
 * when a class has run out, or when more than the pattern's own slack and a width is left over.
 */
function choose(
  centres: readonly number[],
  width: number,
  capacity: number,
  shelf: Shelf,
  random: () => number,
): number[] | undefined {
  const below = width >>> 1;
  const above = (width - 1) >>> 1;
  const chosen: number[] = [];
  let rest = centres.reduce((sum, centre) => sum + centre, 0);
  const slack = Math.max(0, capacity - rest) + width + 2;
  let room = capacity;
  for (const [i, centre] of centres.entries()) {
    rest -= centre;
    const left = centres.length - 1 - i;
    const most = Math.min(centre + above, room - Math.max(0, rest - above * left));
    const wish =
      left === 0 ? Math.min(room, centre + width) : centre - below + Math.floor(random() * width);
    let length = shelf.floor(left === 0 ? wish : Math.min(most, wish));
    if (length < centre - below) length = shelf.floor(Math.min(room, centre + above));
    if (length < Math.max(1, centre - below - width)) break;
    shelf.reserve(length);
    chosen.push(length);
    room -= length;
  }
  if (chosen.length === centres.length && room <= slack) return chosen;
  for (const length of chosen) shelf.release(length);
  return undefined;
}
