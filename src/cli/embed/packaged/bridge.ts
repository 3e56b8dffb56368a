// The bridge from pictures to sentences: one ridge regression in its dual form, fitted in seconds.
// X = the six blocks of picture features, each minus its mean and of length 1, and a constant 1; Y =
// sentence vectors minus their mean, of length 1. W = Xᵀ (X Xᵀ + λ I)⁻¹ Y.
import { normaliseRows } from '../../../curate/embed/embedder.ts';
import {
  fromArray,
  openSafetensors,
  saveSafetensors,
  type Tensor,
  tidy,
} from '../../../tensor/index.ts';
import * as ops from '../../../tensor/ops.ts';

export interface Bridge {
  /** [features] */
  readonly featureMeans: Float32Array;
  /** [dim] */
  readonly sentenceMeans: Float32Array;
  /** [features + 1, dim] */
  readonly weight: Float32Array;
}

/** How strongly weights are held small. */
export const BRIDGE_LAMBDA = 0.3;

/** Fit on pairs: `features` [n, Σ blockDims], `sentences` [n, dim]. */
export function fitBridge(
  features: Float32Array,
  sentences: Float32Array,
  blockDims: readonly number[],
  dim: number,
  lambda: number = BRIDGE_LAMBDA,
): Bridge {
  const numFeatures = blockDims.reduce((sum, size) => sum + size, 0);
  const numPairs = sentences.length / dim;
  const featureMeans = meansOf(features, numFeatures);
  const sentenceMeans = meansOf(sentences, dim);
  const x = blockRows(features, featureMeans, blockDims);
  const y = centred(sentences, sentenceMeans, dim);
  const weight = tidy(() => {
    const rows = fromArray(x, [numPairs, numFeatures + 1]);
    const kernel = ops.addmm(ops.mulScalar(ops.eye(numPairs), lambda), rows, ops.t(rows));
    const dual = ops.linalgSolve(kernel, fromArray(y, [numPairs, dim]));
    return ops.mm(ops.t(rows), dual).toArray() as Float32Array;
  });
  return { featureMeans, sentenceMeans, weight };
}

/** Features [n, …] → where the bridge places them among sentences: [n, dim], rows of length 1. */
export function crossBridge(
  { featureMeans, sentenceMeans, weight }: Bridge,
  features: Float32Array,
  blockDims: readonly number[],
): Float32Array {
  const dim = sentenceMeans.length;
  const width = featureMeans.length + 1;
  const rows = blockRows(features, featureMeans, blockDims);
  const placed = tidy(() => {
    const product: Tensor = ops.mm(
      fromArray(rows, [rows.length / width, width]),
      fromArray(weight, [width, dim]),
    );
    return product.toArray() as Float32Array;
  });
  return normaliseRows(placed, dim);
}

/** Sentences [n, dim] → the same space. */
export function centreSentences(bridge: Bridge, sentences: Float32Array): Float32Array {
  return centred(sentences, bridge.sentenceMeans, bridge.sentenceMeans.length);
}

/** Writes a bridge whole or not at all. */
export async function saveBridge(path: string, bridge: Bridge): Promise<void> {
  const { featureMeans, sentenceMeans, weight } = bridge;
  const tensors = tidy(() => {
    return {
      featureMeans: fromArray(featureMeans, [featureMeans.length]),
      sentenceMeans: fromArray(sentenceMeans, [sentenceMeans.length]),
      weight: fromArray(weight, [featureMeans.length + 1, sentenceMeans.length]),
    };
  });
  await saveSafetensors(path, tensors);
  for (const tensor of Object.values(tensors)) tensor.dispose();
}

/** @throws OneVisionError 'checkpoint' for a file that is damaged or another. */
export function loadBridge(path: string): Bridge {
  using file = openSafetensors(path);
  const read = (name: string): Float32Array =>
    tidy(() => file.tensor(name).toArray() as Float32Array);
  return {
    featureMeans: read('featureMeans'),
    sentenceMeans: read('sentenceMeans'),
    weight: read('weight'),
  };
}

function meansOf(rows: Float32Array, dim: number): Float32Array {
  const sums = new Float64Array(dim);
  for (const [i, value] of rows.entries()) sums[i % dim] = (sums[i % dim] as number) + value;
  return Float32Array.from(sums, (sum) => (sum * dim) / rows.length);
}

function centred(rows: Float32Array, means: Float32Array, dim: number): Float32Array {
  return normaliseRows(
    rows.map((value, i) => value - (means[i % dim] as number)),
    dim,
  );
}

/** Each block minus its mean and of length 1, then a constant 1. */
function blockRows(
  features: Float32Array,
  means: Float32Array,
  blockDims: readonly number[],
): Float32Array {
  const width = means.length;
  const numRows = features.length / width;
  const out = new Float32Array(numRows * (width + 1));
  for (let row = 0; row < numRows; row++) {
    let start = 0;
    for (const dim of blockDims) {
      const block = features.slice(row * width + start, row * width + start + dim);
      for (let i = 0; i < dim; i++) {
        block[i] = (block[i] as number) - (means[start + i] as number);
      }
      out.set(normaliseRows(block, dim), row * (width + 1) + start);
      start += dim;
    }
    out[row * (width + 1) + width] = 1;
  }
  return out;
}
