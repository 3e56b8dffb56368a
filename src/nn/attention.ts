// Attention inside segments: rows of one segment see each other and nothing else.
// Shapes: q [rows, heads, dim]; k, v [rows, kvHeads, dim]; result [rows, heads · dim].
// Rows lie as `planSegments` says. The choice of kernel is made here and nowhere else.

import { type DType, fromArray, isAccelerator, type Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { cumulativeLengths, type SegmentGroup } from './segments.ts';

/** How the attention of a forward runs. */
export interface AttentionLayout {
  readonly causal: boolean;
  readonly groups: readonly SegmentGroup[];
  /** Where one kernel takes all segments: int32 [segments + 1] on the device, and the longest. */
  readonly bounds?: { readonly cuSeqlens: Tensor; readonly longest: number };
}

/** Whether segments of any lengths go through one kernel: then groups save nothing. */
export function takesBounds({ dtype, device }: Placement): boolean {
  return isAccelerator(device) && (dtype === 'bfloat16' || dtype === 'float16');
}

interface Placement {
  readonly dtype: DType;
  readonly device: string;
}

/** The layout of some groups for tensors of a type on a device. */
export function attentionLayout(
  groups: readonly SegmentGroup[],
  { causal, ...placement }: Placement & { readonly causal: boolean },
): AttentionLayout {
  if (!takesBounds(placement)) return { causal, groups };
  const lengths = groups.flatMap(({ count, length }) => new Array<number>(count).fill(length));
  const bounds = cumulativeLengths(lengths);
  const cuSeqlens = fromArray(bounds, [bounds.length], { device: placement.device });
  return { causal, groups, bounds: { cuSeqlens, longest: Math.max(0, ...lengths) } };
}

/**
 * softmax(q kᵀ / √dim) v inside each segment; causal or full as the layout says. Query head h
 * reads key head ⌊h · kvHeads / heads⌋ (grouped-query attention, Ainslie et al. 2023).
 * @returns [rows, heads · dim].
 */
export function varlenAttention(q: Tensor, k: Tensor, v: Tensor, layout: AttentionLayout): Tensor {
  const { groups, causal, bounds } = layout;
  if (bounds !== undefined) return attendAll(q, k, v, bounds, causal);
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

/** All segments in one kernel that never holds the scores (Dao 2023, FlashAttention-2). */
function attendAll(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { cuSeqlens, longest }: NonNullable<AttentionLayout['bounds']>,
  causal: boolean,
): Tensor {
  const [out] = ops.flashAttentionForward(
    q,
    k,
    v,
    cuSeqlens,
    cuSeqlens,
    longest,
    longest,
    0,
    causal,
    false,
  );
  return ops.flatten(out as Tensor, { startDim: 1 });
}

/** Segments of one length: ATen's fused kernel, which never holds all scores. */
function attendGroup(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { count, length }: SegmentGroup,
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
