// A copy of everything a checkpoint holds, taken between two steps, so that training goes on while
// it is written.

import { join } from 'node:path';
import { saveCheckpoint } from '../../model/checkpoint.ts';
import { OneVision } from '../../model/onevision.ts';
import { keep, noGrad, type Tensor } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { saveSafetensors } from '../../tensor/safetensors.ts';
import type { Learner } from '../learner.ts';
import { stateFile } from './saved-state.ts';

export class Snapshot {
  readonly #model: OneVision;
  readonly #files: ReadonlyMap<string, ReadonlyMap<string, Tensor>>;

  constructor(learner: Learner) {
    const weights = learner.model.namedParameters();
    // On the processor: a device has no room for a second model.
    const copy = (tensor: Tensor): Tensor =>
      keep(noGrad(() => ops.toCopy(tensor, { device: 'cpu' })));
    this.#model = new OneVision(learner.model.config, (name) => {
      const weight = weights.get(name);
      if (weight === undefined) throw new RangeError(`no weight ${name}`);
      return learner.merged(name) ?? copy(weight);
    });
    this.#files = new Map(
      [...learner.files()].map(([file, tensors]) => [
        file,
        new Map([...tensors].map(([name, tensor]) => [name, copy(tensor)])),
      ]),
    );
  }

  /** Fills a checkpoint folder. @throws OneVisionError 'disk'. */
  async write(dir: string, companions: Parameters<typeof saveCheckpoint>[2]): Promise<void> {
    await saveCheckpoint(dir, this.#model, companions);
    for (const [file, tensors] of this.#files) {
      await saveSafetensors(join(dir, stateFile(file)), Object.fromEntries(tensors));
    }
  }

  [Symbol.dispose](): void {
    this.#model[Symbol.dispose]();
    for (const tensors of this.#files.values()) {
      for (const tensor of tensors.values()) tensor.dispose();
    }
  }
}
