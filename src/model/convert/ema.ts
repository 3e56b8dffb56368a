// The moving average of a checkpoint in the place of its weights.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { openSafetensors } from '../../tensor/safetensors.ts';
import type { LazyTensor } from '../../tensor/storage/stored-tensor.ts';
import { checkNoDifferences } from '../checkpoint/compare.ts';
import { releasedName, unstack } from '../checkpoint/weights.ts';

const EMA_FILE = 'ema.safetensors';

/** Open weights with the averages in them. */
export interface AveragedWeights {
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  readonly numChanged: number;
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * The weights of a checkpoint with its averages where it has some, in the type of the weights; what was
 * frozen stays.
 * @throws OneVisionError 'checkpoint' where it has no averages, or they do not fit.
 */
export function withAverages(
  weights: ReadonlyMap<string, LazyTensor>,
  folder: string,
): AveragedWeights {
  const path = join(folder, EMA_FILE);
  if (!existsSync(path)) {
    throw new OneVisionError('checkpoint', `expected ${EMA_FILE} in ${folder}, came none`, {
      hint: 'train with emaDecay, and give one of the checkpoints of that stage',
    });
  }
  const file = openSafetensors(path);
  const close = (): void => file.close();
  const changed = new Map<string, LazyTensor>();
  const differences: string[] = [];
  const averages = file.names.flatMap((name) => unstack(releasedName(name), file.lazy(name)));
  for (const [name, average] of averages) {
    const old = weights.get(name);
    if (old === undefined) differences.push(`unexpected: ${name}`);
    else if (old.shape.join() !== average.shape.join()) {
      differences.push(`misshapen: ${name} is [${average.shape}], expected [${old.shape}]`);
    } else {
      const { dtype } = old;
      const read: LazyTensor['read'] = (placement) => average.read({ dtype, ...placement });
      changed.set(name, { ...average, dtype, read });
    }
  }
  try {
    checkNoDifferences(differences, {
      where: folder,
      numExpected: averages.length,
      hint: 'give a checkpoint folder as training wrote it',
    });
  } catch (error) {
    close();
    throw error;
  }
  const tensors = new Map([...weights].map(([name, old]) => [name, changed.get(name) ?? old]));
  return { tensors, numChanged: changed.size, close, [Symbol.dispose]: close };
}
