// Output head and cross entropy in one, a few rows at a time: the logits of all rows are never there
// together. Shapes: hidden [n, dim]; weight [vocab, dim]; targets, weights [n].

import { withGradient } from '../../tensor/graph/graph-node.ts';
import { gradEnabled, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { widen } from '../loss.ts';

/** Largest number of logits held at a time: 256 MiB in float32. */
const MOST_LOGITS = 2 ** 26;

/** Rows whose logits are held at a time, for a vocabulary. */
export function rowsPerChunk(vocab: number): number {
  return Math.max(1, Math.floor(MOST_LOGITS / vocab));
}

export interface LinearLossInput {
  readonly hidden: Tensor;
  readonly weight: Tensor;
  readonly targets: Tensor;
  readonly weights: Tensor;
}

/** What the chunks are written into; null where nothing is learned. */
interface Sums {
  readonly losses: Tensor;
  readonly forHidden: Tensor | null;
  readonly forWeight: Tensor | null;
}

/**
 * Σ wᵢ · −log softmax(hiddenᵢ · weightᵀ)[targetᵢ]. The gradient is made in the forward while the
 * logits of a chunk are there: d = (softmax − onehot) · w, then d · weight and dᵀ · hidden.
 * @returns the sum, which `backward` takes, and the unweighted losses [n], without a graph.
 */
export function linearCrossEntropy(
  input: LinearLossInput,
  chunkRows: number,
): { readonly lossSum: Tensor; readonly losses: Tensor } {
  const { hidden, weight, weights } = input;
  const inputs = [hidden, weight];
  const learns = inputs.map((tensor) => gradEnabled() && tensor.requiresGrad);
  return tidy(() => {
    const { dtype, device } = weights;
    const sums: Sums = {
      losses: ops.empty([hidden.shape[0] ?? 0], { dtype, device }),
      forHidden: learns[0] === true ? ops.emptyLike(hidden) : null,
      forWeight: learns[1] === true ? ops.zeros(weight.shape, { dtype, device }) : null,
    };
    noGrad(() => addChunks(input, chunkRows, sums));
    const { losses, forHidden, forWeight } = sums;
    const lossSum = ops.sum(ops.mul(losses, weights));
    const saved = [forHidden, forWeight].filter((tensor) => tensor !== null);
    if (saved.length === 0) return { lossSum, losses };
    const [scaled = lossSum] = withGradient([lossSum], inputs, saved, (made, [gradient]) => {
      const factor = gradient as Tensor;
      const left = made.map((tensor) => ops.mul(tensor, ops.toDtype(factor, tensor.dtype)));
      return learns.map((learned) => (learned ? (left.shift() ?? null) : null));
    });
    return { lossSum: scaled, losses };
  });
}

function addChunks(input: LinearLossInput, chunkRows: number, sums: Sums): void {
  const numRows = input.hidden.shape[0] ?? 0;
  for (let start = 0; start < numRows; start += chunkRows) {
    const rows = Math.min(chunkRows, numRows - start);
    const cut = (tensor: Tensor): Tensor => ops.narrow(tensor, 0, start, rows);
    tidy(() => {
      const hidden = cut(input.hidden);
      const targets = ops.unsqueeze(cut(input.targets), 1);
      const logProbs = ops.logSoftmax(widen(ops.linear(hidden, input.weight)), -1);
      const losses = ops.neg(ops.squeeze(ops.gather(logProbs, 1, targets), 1));
      ops.copy_(cut(sums.losses), losses);
      if (sums.forHidden === null && sums.forWeight === null) return;
      const weights = ops.unsqueeze(cut(input.weights), 1);
      const atLogits = ops.mul_(ops.exp_(logProbs), weights);
      ops.scatterAdd_(atLogits, 1, targets, ops.neg(weights));
      const own = ops.toDtype(atLogits, hidden.dtype);
      if (sums.forHidden !== null) ops.copy_(cut(sums.forHidden), ops.mm(own, input.weight));
      if (sums.forWeight !== null) addProduct(sums.forWeight, ops.transpose(own, 0, 1), hidden);
    });
  }
}

/** sum += a · b; the sum may be of a wider type. */
function addProduct(sum: Tensor, a: Tensor, b: Tensor): void {
  if (sum.dtype === a.dtype) ops.addmm_(sum, a, b);
  else ops.add_(sum, ops.mm(a, b));
}
