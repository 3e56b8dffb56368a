// The stored tensors of a model folder by their released names, whatever files and key forms they
// come in: safetensors in one or several files. Nothing is read before it is asked for.

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { readJson } from '../../core/files.ts';
import type { Tensor } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { openSafetensors, type SafetensorsFile } from '../../tensor/safetensors.ts';
import { type LazyTensor, lazyFrom } from '../../tensor/storage/stored-tensor.ts';

export const WEIGHTS = 'model.safetensors';
export const INDEX = 'model.safetensors.index.json';

/** An open folder of weights. */
export interface StoredWeights {
  readonly folder: string;
  /** How many files hold them. */
  readonly numFiles: number;
  /** Released name → tensor; stays readable until `close`. */
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  close(): void;
  [Symbol.dispose](): void;
}

const fileName = z.string().refine((name) => name === path.basename(name) && name !== '', {
  error: 'expected the name of a file beside the index',
});
const indexSchema = z.looseObject({ weight_map: z.record(z.string(), fileName) });

/**
 * Open the weights of a folder: every header is read and checked, no tensor is.
 * @throws OneVisionError 'checkpoint' naming a missing or damaged file, or a tensor stored twice.
 */
export function openWeights(folder: string): StoredWeights {
  const index = path.join(folder, INDEX);
  const map = fs.existsSync(index) ? readJson(index, indexSchema, 'checkpoint').weight_map : {};
  const indexed = [...new Set(Object.values(map))].sort();
  const files: SafetensorsFile[] = [];
  const close = (): void => {
    for (const file of files) file.close();
  };
  const tensors = new Map<string, LazyTensor>();
  try {
    for (const name of indexed.length > 0 ? indexed : [WEIGHTS]) {
      const file = openSafetensors(path.join(folder, name));
      files.push(file);
      for (const stored of file.names) addReleased(tensors, stored, file.lazy(stored), folder);
    }
  } catch (error) {
    close();
    throw error;
  }
  return { folder, numFiles: files.length, tensors, close, [Symbol.dispose]: close };
}

function addReleased(
  tensors: Map<string, LazyTensor>,
  stored: string,
  tensor: LazyTensor,
  folder: string,
): void {
  for (const [name, part] of unstack(releasedName(stored), tensor)) {
    if (name.endsWith('.inv_freq')) continue;
    if (tensors.has(name)) {
      throw new OneVisionError('checkpoint', `expected ${name} once in ${folder}, came it twice`, {
        hint: 'remove the file, or the form of the names, that does not belong to the model',
      });
    }
    tensors.set(name, part);
  }
}

/**
 * The released (on-disk) name of a tensor stored under either form: `model.visual.*` is
 * `visual.*`, `model.language_model.*` is `model.*`.
 */
export function releasedName(name: string): string {
  if (name.startsWith('model.visual.')) return name.slice('model.'.length);
  return name.replace(/^model\.language_model\./, 'model.');
}

const STACK = /^(.*\.experts\.)(gate_up_proj|down_proj)$/;

/** The tensors on disk for one in memory: a stack of experts is stored expert by expert. */
export function unstack(name: string, tensor: LazyTensor): [string, LazyTensor][] {
  const [, prefix, kind] = STACK.exec(name) ?? [];
  const [numExperts = 0, rows = 0, columns = 0] = tensor.shape;
  if (prefix === undefined || tensor.shape.length !== 3) return [[name, tensor]];
  const parts = kind === 'down_proj' ? ['down_proj'] : ['gate_proj', 'up_proj'];
  const height = rows / parts.length;
  return Array.from({ length: numExperts }, (_, expert) =>
    parts.map((part, i): [string, LazyTensor] => [
      `${prefix}${expert}.${part}.weight`,
      lazyFrom({ dtype: tensor.dtype, shape: [height, columns] }, () =>
        ops.narrow(ops.select(tensor.read(), 0, expert), 0, i * height, height),
      ),
    ]),
  ).flat();
}

/** The stack in memory [experts, rows, columns] of what `unstack` names, read piece by piece. */
export function stack(
  name: string,
  shape: readonly number[],
  read: (name: string) => Tensor,
  options: { readonly dtype: Tensor['dtype']; readonly device: string },
): Tensor {
  const target = ops.empty(shape, options);
  const described = { ...options, shape, read: () => target };
  for (const [part, place] of unstack(name, described)) {
    const source = read(part);
    const slot = place.read();
    ops.copy_(slot, source);
    slot.dispose();
    source.dispose();
  }
  return target;
}

/** Whether a parameter is a stack of experts. */
export function isStack(name: string, shape: readonly number[]): boolean {
  return shape.length === 3 && STACK.test(name);
}
