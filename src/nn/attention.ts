// Attention inside segments: rows of one segment see each other and nothing else.
// Shapes: q [rows, heads, dim]; k, v [rows, kvHeads, dim]; result [rows, heads · dim].
// Rows lie as `planSegments` says. The choice of kernel is made here and nowhere else.

import type { DType, Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { SegmentGroup, SegmentPlan } from './segments.ts';

/** Longest segment for two batched products on CPU; `bench/attention.ts` compares the kernels. */
const PRODUCTS_UP_TO = 128;

/** A segment plan made ready for one model: which kernel each group takes, and its mask. */
export interface AttentionLayout {
  readonly causal: boolean;
  readonly groups: readonly LaidOutGroup[];
}

interface LaidOutGroup extends SegmentGroup {
  /** For the product kernel: added to the scores, [queriesPerKey · length, length]. */
  readonly mask: Tensor | null;
}

export interface AttentionLayoutOptions {
  readonly causal: boolean;
  /** heads / kvHeads. */
  readonly queriesPerKey: number;
  readonly dtype: DType;
  readonly device: string;
  /** Longest segment for the product kernel, on CPU in full precision. */
  readonly productsUpTo?: number;
}

/** Prepare a plan for {@link varlenAttention}. Call once per batch; all layers share it. */
export function layoutAttention(
  plan: SegmentPlan,
  options: AttentionLayoutOptions,
): AttentionLayout {
  const { causal, dtype, device, productsUpTo = PRODUCTS_UP_TO } = options;
  const exact = dtype === 'float32' || dtype === 'float64';
  const byProducts = exact && device === 'cpu';
  const groups = plan.groups.map((group) => ({
    ...group,
    mask: byProducts && group.length <= productsUpTo ? groupMask(group, options) : null,
  }));
  return { causal, groups };
}

function groupMask({ length }: SegmentGroup, options: AttentionLayoutOptions): Tensor {
  const { causal, queriesPerKey, dtype, device } = options;
  if (!causal) return ops.zeros([1, 1], { dtype, device });
  const hidden = ops.full([length, length], Number.NEGATIVE_INFINITY, { dtype, device });
  const mask = ops.triu(hidden, { diagonal: 1 });
  return queriesPerKey === 1 ? mask : ops.repeat(mask, [queriesPerKey, 1]);
}

/**
 * softmax(q kᵀ / √dim) v inside each segment; causal or full as the layout says. Query head h
 * reads key head ⌊h · kvHeads / heads⌋ (grouped-query attention, Ainslie et al. 2023).
 * @returns [rows, heads · dim].
 */
export function varlenAttention(q: Tensor, k: Tensor, v: Tensor, layout: AttentionLayout): Tensor {
  const { groups, causal } = layout;
  const only = groups.length === 1 ? groups[0] : undefined;
  if (only !== undefined) return attendGroup(q, k, v, only, causal);
  const sizes = groups.map((group) => group.count * group.length);
  const [qs, ks, vs] = [q, k, v].map((x) => ops.splitSizes(x, sizes));
  const parts = groups.map((group, i) =>
    attendGroup(at(qs, i), at(ks, i), at(vs, i), group, causal),
  );
  return ops.cat(parts);
}

function at(list: readonly Tensor[] | undefined, index: number): Tensor {
  const tensor = list?.[index];
  if (tensor === undefined) throw new RangeError(`expected a piece ${index} of the split`);
  return tensor;
}

function attendGroup(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  group: LaidOutGroup,
  causal: boolean,
): Tensor {
  return group.mask === null
    ? attendFused(q, k, v, group, causal)
    : attendByProducts(q, k, v, group, group.mask, causal);
}

/** Long segments: ATen's fused kernel, never holding all scores. */
function attendFused(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { count, length }: LaidOutGroup,
  causal: boolean,
): Tensor {
  const [, heads = 1, dim = 1] = q.shape;
  const kvHeads = k.shape[1] ?? 1;
  const lay = (x: Tensor, numHeads: number): Tensor =>
    ops.transpose(ops.view(x, [count, length, numHeads, dim]), 1, 2);
  const out = ops.scaledDotProductAttention(lay(q, heads), lay(k, kvHeads), lay(v, kvHeads), {
    isCausal: causal,
    enableGqa: heads !== kvHeads,
  });
  return ops.reshape(ops.transpose(out, 1, 2), [count * length, heads * dim]);
}

/** Short segments: scores as one batched product. The queries of a key head are stacked. */
function attendByProducts(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { count, length }: LaidOutGroup,
  mask: Tensor,
  causal: boolean,
): Tensor {
  const [, heads = 1, dim = 1] = q.shape;
  const kvHeads = k.shape[1] ?? 1;
  const stack = (x: Tensor, numHeads: number): Tensor => {
    const perKey = numHeads / kvHeads;
    const split = ops.view(x, [count, length, kvHeads, perKey, dim]);
    const headMajor = ops.permute(split, [0, 2, 3, 1, 4]);
    return ops.reshape(headMajor, [count * kvHeads, perKey * length, dim]);
  };
  const scores = ops.baddbmm(mask, stack(q, heads), ops.transpose(stack(k, kvHeads), 1, 2), {
    beta: causal ? 1 : 0,
    alpha: 1 / Math.sqrt(dim),
  });
  const mixed = ops.bmm(ops.softmax(scores, -1), stack(v, kvHeads));
  const split = ops.view(mixed, [count, kvHeads, heads / kvHeads, length, dim]);
  return ops.reshape(ops.permute(split, [0, 3, 1, 2, 4]), [count * length, heads * dim]);
}
