// Which samples share a pack, under a budget of tokens and one of vision patches. Pure arithmetic on
// lengths; reads no file and knows no sample.

import { OneVisionError } from '../core/errors.ts';
import { addPacks } from './fit/multiple.ts';
import { concatPacks, type Packs } from './fit/problem.ts';
import { addText, type Method, type Solution, solve } from './fit/solve.ts';
import { type Needs, type Survey, survey } from './fit/survey.ts';

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

export interface PlanOptions {
  readonly seed: number;
  /** The number of packs is a multiple of this: data-parallel size × micro-batches. Default 1. */
  readonly multiple?: number | undefined;
  /** Source of each sample; given, no pack holds samples of two. `[samples]` */
  readonly apart?: Uint16Array | Uint32Array | undefined;
}

/** Why a sample cannot be packed at all. */
export type OverlongReason = 'tokens' | 'patches';

/** The samples of pack p are `members[starts[p] … starts[p + 1]]`, in no particular order. */
export interface PackPlan extends Packs {
  /** Samples that fit no pack, with the reason. They are listed, never cut. */
  readonly overlong: readonly { readonly sample: number; readonly reason: OverlongReason }[];
  /** Tokens used over tokens available, 0 … 1. */
  readonly fill: number;
  /** No plan has fewer packs than this. */
  readonly lowerBound: number;
  /** (numPacks − lowerBound) / lowerBound. */
  readonly gap: number;
  /** What made the packs; several where sources are kept apart. */
  readonly methods: readonly Method[];
}

/**
 * Plans packs: every sample that fits is in exactly one, no budget is broken, and their number is
 * within a hair of the lower bound. Same lengths, limits and options: same plan. Linear in the
 * number of samples; at most 16 bytes a sample with the lengths and the plan.
 *
 * @throws OneVisionError 'recipe' for a limit below 1, a patch budget below the smallest image, and
 * a multiple that needs more packs than there are samples.
 */
export function planPacks(lengths: Lengths, limits: PackLimits, options: PlanOptions): PackPlan {
  checkLimits(limits, options);
  const { multiple = 1, seed, apart } = options;
  const { tokens, patches } = lengths;
  const { segments } = limits;
  const needs = { tokens, patches, maxTokens: limits.tokens, maxPatches: limits.patches, segments };
  const surveys = Array.from(groupsOf(apart), (items) => survey(needs, items, seed));
  const numFitting = surveys.reduce((sum, { byTokens }) => sum + byTokens.numItems, 0);
  const overlong = numFitting === tokens.length ? [] : findOverlong(lengths, limits);
  const parts = surveys.map(planGroup);
  const sum = (of: (part: Part) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const numPacks = sum(({ packs }) => packs.numPacks);
  const packs = joinParts(parts, needs, (multiple - (numPacks % multiple)) % multiple);
  const lowerBound = multiple * Math.ceil(sum((part) => part.lowerBound) / multiple);
  const used = sum((part) => part.numTokens);
  return {
    ...packs,
    overlong,
    fill: used === 0 ? 0 : used / (packs.numPacks * limits.tokens),
    lowerBound,
    gap: lowerBound === 0 ? 0 : (packs.numPacks - lowerBound) / lowerBound,
    methods: [...new Set(parts.map((part) => part.method))],
  };
}

function checkLimits(limits: PackLimits, { multiple = 1 }: PlanOptions): void {
  for (const [name, value] of Object.entries({ ...limits, multiple })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new OneVisionError(
      'recipe',
      `expected a whole number of at least 1 for ${name} of a pack, came ${value}`,
      { hint: 'set pack.maxTokens, maxPatches, maxSegments and multiple to positive numbers' },
    );
  }
}

/** The samples of each source to be kept apart; undefined: all together. */
function* groupsOf(apart: PlanOptions['apart']): Generator<Uint32Array | undefined> {
  if (apart === undefined) {
    yield undefined;
    return;
  }
  const groups = new Map<number, number>();
  for (const group of apart) groups.set(group, (groups.get(group) ?? 0) + 1);
  for (const [group, count] of [...groups].sort(([a], [b]) => a - b)) {
    const items = new Uint32Array(count);
    let cursor = 0;
    apart.forEach((other, sample) => {
      if (other !== group) return;
      items[cursor] = sample;
      cursor += 1;
    });
    yield items;
  }
}

/** The plan of samples that may share packs. */
interface Part extends Solution {
  readonly numTokens: number;
}

/** Plans samples that may share packs. The budget in shorter supply leads. */
function planGroup({ byTokens, byPatches, leads, bound, numText, numTokens }: Survey): Part {
  if (leads === 'tokens') return { ...solve(byTokens, bound), numTokens };
  const solved = solve(byPatches, bound);
  const packs = addText(solved.packs, byTokens, byPatches, numText);
  return { ...solved, packs, numTokens };
}

/** One list of packs, with so many more of them made from the packs of the largest part. */
function joinParts(parts: readonly Part[], needs: Needs, numNew: number): Packs {
  const packs = parts.map((part) => part.packs);
  if (numNew > 0) {
    const largest = packs.reduce((a, b) => (b.numPacks > a.numPacks ? b : a));
    const budgets = [
      { needs: needs.tokens, capacity: needs.maxTokens },
      { needs: needs.patches, capacity: needs.maxPatches },
    ];
    const more = addPacks(largest, numNew, budgets, needs.segments);
    if (more === undefined) {
      throw new OneVisionError(
        'recipe',
        `expected samples for ${numNew} more packs to reach the multiple, came ` +
          `${largest.members.length} in ${largest.numPacks} packs`,
        { hint: 'lower pack.multiple, or pack more samples' },
      );
    }
    packs[packs.indexOf(largest)] = more;
  }
  const [first] = packs;
  return packs.length === 1 && first !== undefined ? first : concatPacks(packs);
}

function findOverlong({ tokens, patches }: Lengths, limits: PackLimits): PackPlan['overlong'] {
  const found: { sample: number; reason: OverlongReason }[] = [];
  let smallest = Number.POSITIVE_INFINITY;
  const { tokens: maxTokens, patches: maxPatches } = limits;
  for (let sample = 0; sample < tokens.length; sample += 1) {
    const needed = patches[sample] ?? 0;
    if (needed > 0 && needed < smallest) smallest = needed;
    if ((tokens[sample] ?? 0) <= maxTokens && needed <= maxPatches) continue;
    if ((tokens[sample] ?? 0) > maxTokens) found.push({ sample, reason: 'tokens' });
    else found.push({ sample, reason: 'patches' });
  }
  if (smallest > limits.patches && smallest < Number.POSITIVE_INFINITY) {
    throw new OneVisionError(
      'recipe',
      `expected room for at least one image in a pack, came ${limits.patches} patches where the ` +
        `smallest image takes ${smallest}`,
      { hint: `set pack.maxPatches to ${smallest} or more, or image.maxPixels lower` },
    );
  }
  return found;
}
