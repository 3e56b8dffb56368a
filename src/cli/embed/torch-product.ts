// The matrix product of libtorch for concept search: as fast as the machine multiplies.
import type { MatrixProduct } from '../../curate/embed/embedder.ts';
import { fromArray, keep, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';

/** left · rightᵀ on a device of libtorch; what is loaded stays there until it is freed. */
export function torchProduct(device = 'cpu'): MatrixProduct {
  // All products go through one array: fresh pages cost as much as the copy.
  let out = new Float32Array(0);
  return {
    name: `libtorch ${device}`,
    load: (right, dim) => {
      const loaded = tidy(() => keep(fromArray(right, [right.length / dim, dim], { device })));
      return {
        multiply: (left) =>
          tidy(() => {
            const rows = fromArray(left, [left.length / dim, dim], { device });
            const scores = ops.mm(rows, ops.t(loaded));
            if (out.length < scores.numel) out = new Float32Array(scores.numel);
            const view = out.subarray(0, scores.numel);
            scores.copyTo(view);
            return view;
          }),
        free: () => loaded.dispose(),
      };
    },
  };
}
