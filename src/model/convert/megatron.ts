// The original's Megatron checkpoints (one tensor-parallel and one pipeline rank), read and written.
// Tensors go one by one from file to file; nothing in the file is run.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { ensureFolder, writeFileAtomic } from '../../core/files.ts';
import { fromArray } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { type LazyTensor, lazyFrom } from '../../tensor/storage/stored-tensor.ts';
import { openTorchFile, tensorOf } from '../../tensor/storage/torch-file.ts';
import { type TorchValue, writeTorchFile } from '../../tensor/storage/torch-write.ts';
import { checkNoDifferences } from '../checkpoint/compare.ts';
import { shapesOf } from '../checkpoint.ts';
import type { OneVisionConfig } from '../config.ts';
import { extraStates, type MegatronEntry, megatronMap } from './megatron-map.ts';

const LATEST = 'latest_checkpointed_iteration.txt';
const RANK = 'mp_rank_00';
const FILE = 'model_optim_rng.pt';

type Tensors = ReadonlyMap<string, LazyTensor>;

/** Released tensors → Megatron's. */
export function toMegatron(tensors: Tensors, config: OneVisionConfig): Map<string, LazyTensor> {
  return new Map(
    megatronMap(config).map(({ megatron, released, rows }) => {
      const parts = released.map((name) => required(tensors, name));
      const [first] = parts as [LazyTensor];
      if (parts.length === 1 && rows === undefined) return [megatron, first];
      const height = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
      const shape = [height, ...first.shape.slice(1)];
      const make = () => {
        const whole = ops.cat(parts.map((part) => part.read()));
        return rows === undefined ? whole : ops.indexSelect(whole, 0, toIndex(rows));
      };
      return [megatron, lazyFrom({ dtype: first.dtype, shape }, make)];
    }),
  );
}

/**
 * Megatron tensors → the released ones that the config asks for.
 * @throws OneVisionError 'checkpoint' listing the first ten differences by Megatron's names.
 */
export function fromMegatron(
  tensors: Tensors,
  config: OneVisionConfig,
  where: string,
): Map<string, LazyTensor> {
  const shapes = shapesOf(config);
  const table = megatronMap(config);
  const differences: string[] = [];
  const out = new Map<string, LazyTensor>();
  for (const entry of table) {
    const stored = tensors.get(entry.megatron);
    const expected = stackedShape(entry, shapes);
    if (stored === undefined) differences.push(`missing: ${entry.megatron} [${expected}]`);
    else if (!fits(stored.shape, expected, entry.padded === true)) {
      differences.push(`misshapen: ${entry.megatron} is [${stored.shape}], expected [${expected}]`);
    } else for (const [name, part] of splitRows(entry, stored, shapes)) out.set(name, part);
  }
  const known = new Set(table.map(({ megatron }) => megatron));
  for (const name of tensors.keys()) if (!known.has(name)) differences.push(`unexpected: ${name}`);
  checkNoDifferences(differences, { where, numExpected: table.length });
  return out;
}

function stackedShape(
  { released }: MegatronEntry,
  shapes: ReadonlyMap<string, readonly number[]>,
): number[] {
  const parts = released.map((name) => shapes.get(name) ?? []);
  const height = parts.reduce((sum, [rows = 0]) => sum + rows, 0);
  return [height, ...(parts[0]?.slice(1) ?? [])];
}

function fits(came: readonly number[], expected: readonly number[], padded: boolean): boolean {
  if (came.slice(1).join() !== expected.slice(1).join()) return false;
  const [rows = 0] = came;
  const [wanted = 0] = expected;
  return came.length === expected.length && (padded ? rows >= wanted : rows === wanted);
}

function splitRows(
  { released, rows }: MegatronEntry,
  stored: LazyTensor,
  shapes: ReadonlyMap<string, readonly number[]>,
): [string, LazyTensor][] {
  let first = 0;
  return released.map((name) => {
    const shape = shapes.get(name) ?? [];
    const [height = 0] = shape;
    const start = first;
    first += height;
    if (rows === undefined && stored.shape.join() === shape.join()) return [name, stored];
    const make = () => {
      const whole = stored.read();
      if (rows === undefined) return ops.clone(ops.narrow(whole, 0, start, height));
      const inverse = new Int32Array(height);
      for (const [at, row] of rows.entries()) {
        if (row >= start && row < start + height) inverse[row - start] = at;
      }
      return ops.indexSelect(whole, 0, toIndex(inverse));
    };
    return [name, lazyFrom({ dtype: stored.dtype, shape }, make)];
  });
}

function toIndex(rows: Int32Array) {
  return fromArray(rows, [rows.length]);
}

function required(tensors: Tensors, name: string): LazyTensor {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  throw new OneVisionError('checkpoint', `expected a tensor ${name} to convert, came none`, {
    hint: 'run `onevision convert info` on the folder: it says what is in it',
  });
}

/** An open Megatron checkpoint. */
export interface MegatronCheckpoint {
  readonly path: string;
  readonly tensors: Tensors;
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Open a checkpoint by its folder, the folder of an iteration, or its file.
 * @throws OneVisionError 'checkpoint' where it is not one, or is split over ranks.
 */
export function openMegatron(location: string): MegatronCheckpoint {
  const file = findFile(location);
  const open = openTorchFile(file);
  const root = open.value instanceof Map ? open.value.get('model') : undefined;
  if (!(root instanceof Map)) {
    open.close();
    throw new OneVisionError('checkpoint', `expected a dict 'model' in ${file}, came none`, {
      hint: 'give a checkpoint of one pipeline stage; virtual stages (model0, …) are not read',
    });
  }
  const tensors = new Map<string, LazyTensor>();
  for (const [name, value] of root) {
    const tensor = tensorOf(value);
    if (typeof name === 'string' && tensor !== undefined && !name.endsWith('._extra_state')) {
      tensors.set(name, tensor);
    }
  }
  const close = (): void => open.close();
  return { path: file, tensors, close, [Symbol.dispose]: close };
}

function findFile(location: string): string {
  if (fs.statSync(location, { throwIfNoEntry: false })?.isFile() === true) return location;
  const latest = path.join(location, LATEST);
  const name = fs.existsSync(latest) ? fs.readFileSync(latest, 'utf8').trim() : '';
  const iteration = /^\d+$/.test(name) ? `iter_${name.padStart(7, '0')}` : name;
  const folder = path.join(location, iteration === path.basename(iteration) ? iteration : '');
  const ranks = fs.existsSync(folder)
    ? fs.readdirSync(folder).filter((rank) => rank.startsWith('mp_rank_'))
    : [];
  const file = path.join(folder, RANK, FILE);
  if (ranks.length === 1 && fs.existsSync(file)) return file;
  const came = ranks.length > 1 ? `${ranks.length} ranks (${ranks.slice(0, 3)}, …)` : 'none';
  throw new OneVisionError('checkpoint', `expected ${RANK}/${FILE} in ${folder}, came ${came}`, {
    hint: 'only TP 1 and PP 1 are read: merge the ranks with the original converter first',
  });
}

/**
 * Write a checkpoint as the original's converter lays it out: release/mp_rank_00 and the file that
 * points to it.
 * @throws OneVisionError 'disk'.
 */
export async function saveMegatron(
  folder: string,
  tensors: Tensors,
  config: OneVisionConfig,
): Promise<void> {
  const target = path.join(folder, 'release', RANK);
  ensureFolder(target);
  const model = new Map<string, TorchValue>(toMegatron(tensors, config));
  for (const name of extraStates(config)) model.set(name, null);
  const value = new Map<string, TorchValue>([
    ['model', model],
    ['checkpoint_version', 3],
    ['iteration', 0],
  ]);
  await writeTorchFile(path.join(target, FILE), value);
  await writeFileAtomic(path.join(folder, LATEST), 'release');
}
