// What a model folder holds, by its headers: parameters and bytes of each part. Reads no weight.

import type { DType } from '../../tensor/index.ts';
import { sizeBytes } from '../checkpoint/shards.ts';
import { openWeights } from '../checkpoint/weights.ts';
import { loadConfig } from '../checkpoint.ts';
import type { OneVisionConfig } from '../config.ts';

/** One part of a model. */
export interface PartInfo {
  readonly part: string;
  readonly numTensors: number;
  readonly numParameters: number;
  readonly bytes: number;
}

export interface ModelInfo {
  readonly folder: string;
  readonly config: OneVisionConfig;
  readonly numFiles: number;
  /** Types in use. */
  readonly dtypes: readonly DType[];
  /** In the order of the data's way through the model. */
  readonly parts: readonly PartInfo[];
  readonly total: PartInfo;
  /** Of experts: parameters that one token meets. Equal to all in dense models. */
  readonly numActive: number;
}

const PARTS: readonly (readonly [string, RegExp])[] = [
  ['vision tower', /^visual\.(?!merger\.)/],
  ['merger', /^visual\.merger\./],
  ['embedding', /^model\.embed_tokens\./],
  ['attention', /^model\.layers\.\d+\.self_attn\./],
  ['feed-forward', /^model\.layers\.\d+\.mlp\./],
  ['norms', /^model\.(layers\.\d+\.\w*layernorm|norm)\./],
  ['output head', /^lm_head\./],
  ['other', /^/],
];

/** @throws OneVisionError 'checkpoint' where the folder is not a model. */
export function describeModel(folder: string): ModelInfo {
  const config = loadConfig(folder);
  using weights = openWeights(folder);
  const dtypes = new Set<DType>();
  const found = new Map<string, PartInfo>();
  let expertParameters = 0;
  for (const [name, tensor] of weights.tensors) {
    const part = PARTS.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other';
    const numParameters = tensor.shape.reduce((product, size) => product * size, 1);
    if (name.includes('.experts.')) expertParameters += numParameters;
    dtypes.add(tensor.dtype);
    const one = { part, numTensors: 1, numParameters, bytes: sizeBytes(tensor) };
    found.set(part, sum(part, [...(found.has(part) ? [found.get(part) as PartInfo] : []), one]));
  }
  const parts = PARTS.flatMap(([part]) => found.get(part) ?? []);
  const total = sum('total', parts);
  const { numExperts = 1, numActive = 1 } = config.text.experts ?? {};
  return {
    folder,
    config,
    numFiles: weights.numFiles,
    dtypes: [...dtypes],
    parts,
    total,
    numActive: total.numParameters - expertParameters * (1 - numActive / numExperts),
  };
}

function sum(part: string, parts: readonly PartInfo[]): PartInfo {
  const of = (key: 'numTensors' | 'numParameters' | 'bytes'): number =>
    parts.reduce((total, one) => total + one[key], 0);
  return {
    part,
    numTensors: of('numTensors'),
    numParameters: of('numParameters'),
    bytes: of('bytes'),
  };
}
