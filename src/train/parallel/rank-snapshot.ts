// A rank's share of a checkpoint, copied between two steps: some of the weights, whole, and its part of
// the optimizer's state. Together the ranks' files are a Hugging Face folder.

import { join } from 'node:path';
import { shardName, sizeBytes } from '../../model/checkpoint/shards.ts';
import { unstack, WEIGHTS } from '../../model/checkpoint/weights.ts';
import type { Shards } from '../../parallel/shards.ts';
import { keep, noGrad, type Tensor } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { saveSafetensors, writeSafetensors } from '../../tensor/safetensors.ts';
import { type LazyTensor, lazyOf } from '../../tensor/storage/stored-tensor.ts';
import { type Learner, LORA_FILE } from '../learner.ts';
import { digestFiles, type FileDigest } from '../saving/digest.ts';
import { stateFile } from '../saving/saved-state.ts';

/** What a rank has written; JSON can hold it. */
export interface RankFiles {
  readonly files: readonly (readonly [name: string, digest: FileDigest])[];
  /** Name of each tensor of the weights → file. */
  readonly weights: readonly (readonly [name: string, file: string])[];
  readonly weightBytes: number;
}

const EMPTY: RankFiles = { files: [], weights: [], weightBytes: 0 };

export class RankSnapshot {
  readonly #place: Shards['place'];
  readonly #weights = new Map<string, Tensor>();
  readonly #files = new Map<string, ReadonlyMap<string, Tensor>>();

  /** All ranks make one at the same time: weights that are cut are gathered. */
  constructor(learner: Learner, shards: Shards) {
    this.#place = shards.place;
    this.#copyWeights(learner, shards);
    for (const [file, tensors] of learner.files()) {
      const isLora = file === LORA_FILE;
      using _weights = isLora ? learner.copies.open() : undefined;
      if (!this.#place.writes || (isLora && this.#place.part > 0)) continue;
      this.#files.set(file, new Map([...tensors].map(([name, x]) => [name, copy(x)])));
    }
  }

  /** Writes this rank's files. @throws OneVisionError 'disk'. */
  async write(dir: string): Promise<RankFiles> {
    const { part, parts, writes } = this.#place;
    if (!writes) return EMPTY;
    const written: string[] = [];
    for (const [file, tensors] of this.#files) {
      const name = file === LORA_FILE ? stateFile(file) : stateFile(file, part, parts);
      await saveSafetensors(join(dir, name), Object.fromEntries(tensors));
      written.push(name);
    }
    const file = parts === 1 ? WEIGHTS : shardName(part + 1, parts);
    const lazies = [...this.#weights].flatMap(([name, x]) => unstack(name, lazyOf(x)));
    await writeSafetensors(join(dir, file), new Map<string, LazyTensor>(lazies), { format: 'pt' });
    written.push(file);
    const digests = await digestFiles(written.map((name) => join(dir, name)));
    return {
      files: written.flatMap((name, i) => {
        const digest = digests[i];
        return digest === undefined ? [] : [[name, digest] as const];
      }),
      weights: lazies.map(([name]) => [name, file] as const),
      weightBytes: lazies.reduce((sum, [, lazy]) => sum + sizeBytes(lazy), 0),
    };
  }

  /** Every rank copies a stretch of the model's parameters, about as many bytes as the others. */
  #copyWeights(learner: Learner, shards: Shards): void {
    const parameters = learner.model.namedParameters();
    const own = this.#place.writes ? ownNames(parameters, this.#place) : new Set<string>();
    const take = (name: string): void => {
      const weight = parameters.get(name);
      if (weight === undefined || !own.has(name) || this.#weights.has(name)) return;
      this.#weights.set(name, keep(learner.merged(name) ?? copy(weight)));
    };
    shards.eachUnit((names) => {
      for (const name of names) take(name);
    });
    for (const name of own) take(name);
  }

  [Symbol.dispose](): void {
    const all = [this.#weights, ...this.#files.values()];
    for (const tensors of all) for (const tensor of tensors.values()) tensor.dispose();
  }
}

/** On the processor: a device has no room for a second model. */
function copy(tensor: Tensor): Tensor {
  return keep(noGrad(() => ops.toCopy(tensor, { device: 'cpu' })));
}

function ownNames(
  parameters: ReadonlyMap<string, Tensor>,
  { part, parts }: Shards['place'],
): Set<string> {
  const total = parameters.values().reduce((sum, { numel }) => sum + numel, 0);
  const own = new Set<string>();
  let before = 0;
  for (const [name, { numel }] of parameters) {
    const middle = (before + numel / 2) / total;
    if (Math.min(parts - 1, Math.floor(middle * parts)) === part) own.add(name);
    before += numel;
  }
  return own;
}
