// Attention inside segments: rows of one segment see each other and nothing else.
// Shapes: q [rows, heads, dim]; k, v [rows, kvHeads, dim]; result [rows, heads · dim].
// Rows lie as `planSegments` says. The choice of kernel is made here and nowhere else.

import type { Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { SegmentGroup } from './segments.ts';

/** How the attention of a forward runs. A kernel for cu_seqlens would find its inputs here. */
export interface AttentionLayout {
  readonly causal: boolean;
  readonly groups: readonly SegmentGroup[];
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
