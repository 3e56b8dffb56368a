// Weights on disk: one file while they fit the limit, else several and an index, cut as the Hugging
// Face libraries cut. Tensors are read one by one while they are written.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { ensureFolder, writeFileAtomic } from '../../core/files.ts';
import { writeSafetensors } from '../../tensor/safetensors.ts';
import { itemBytes } from '../../tensor/storage/safetensors-header.ts';
import type { LazyTensor } from '../../tensor/storage/stored-tensor.ts';
import { INDEX, WEIGHTS } from './weights.ts';

/** The libraries' "5GB". */
export const MAX_SHARD_BYTES = 5_000_000_000;

type Tensors = ReadonlyMap<string, LazyTensor>;

export function sizeBytes({ dtype, shape }: LazyTensor): number {
  return shape.reduce((product, size) => product * size, itemBytes(dtype));
}

/** Fill files in the given order; a tensor that does not fit any more opens the next file. */
export function planShards(tensors: Tensors, maxShardBytes: number): Map<string, LazyTensor>[] {
  const shards: Map<string, LazyTensor>[] = [];
  let current = new Map<string, LazyTensor>();
  let bytes = 0;
  for (const [name, tensor] of tensors) {
    const size = sizeBytes(tensor);
    if (bytes + size > maxShardBytes && current.size > 0) {
      shards.push(current);
      current = new Map();
      bytes = 0;
    }
    current.set(name, tensor);
    bytes += size;
  }
  return [...shards, current];
}

/**
 * Write the weights of a folder: model.safetensors, or model-00001-of-0000N.safetensors and, last,
 * the index. Files of an earlier, differently cut save are removed afterwards.
 * @throws OneVisionError 'disk'.
 */
export async function writeWeights(
  folder: string,
  tensors: Tensors,
  maxShardBytes: number = MAX_SHARD_BYTES,
): Promise<void> {
  ensureFolder(folder);
  const shards = planShards(tensors, maxShardBytes);
  const isOne = shards.length === 1;
  const weightMap: Record<string, string> = {};
  const written = new Set<string>();
  for (const [i, shard] of shards.entries()) {
    const file = isOne ? WEIGHTS : shardName(i + 1, shards.length);
    await writeSafetensors(path.join(folder, file), shard, { format: 'pt' });
    for (const name of shard.keys()) weightMap[name] = file;
    written.add(file);
  }
  if (isOne) fs.rmSync(path.join(folder, INDEX), { force: true });
  else {
    const total = [...tensors.values()].reduce((sum, tensor) => sum + sizeBytes(tensor), 0);
    await writeIndex(folder, weightMap, total);
  }
  for (const name of fs.readdirSync(folder)) {
    const isOurs = name === WEIGHTS || /^model-\d{5}-of-\d{5}\.safetensors$/.test(name);
    if (isOurs && !written.has(name)) fs.rmSync(path.join(folder, name));
  }
}

/** The index of several files of weights: name of each tensor → its file. */
export async function writeIndex(
  folder: string,
  fileOf: Readonly<Record<string, string>>,
  total_size: number,
): Promise<void> {
  const weight_map = Object.fromEntries(
    Object.entries(fileOf).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const index = { metadata: { total_size }, weight_map };
  await writeFileAtomic(path.join(folder, INDEX), `${JSON.stringify(index, null, 2)}\n`);
}

export function shardName(number: number, count: number): string {
  const digits = (n: number): string => String(n).padStart(5, '0');
  return `model-${digits(number)}-of-${digits(count)}.safetensors`;
}
