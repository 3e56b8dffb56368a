// The one door to the C++ addon: finds build/addon.json, loads the addon on first use, types it.
// Knows nothing of Tensor objects; handles go in and out.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type ErrorCode, OneVisionError } from '../core/errors.ts';
import type { DType, TypedArray } from './dtype.ts';

declare const handleBrand: unique symbol;
/** A tensor held by the addon: a type-tagged external. */
export type Handle = { readonly [handleBrand]: 'tensor' };
declare const generatorBrand: unique symbol;
/** A random generator held by the addon. */
export type GeneratorHandle = { readonly [generatorBrand]: 'generator' };

/** One argument or result of an operator, as its schema has it. */
export interface ValueType {
  readonly kind: string;
  readonly optional: boolean;
  readonly list: boolean;
  readonly optionalElement: boolean;
  readonly size: number;
}

export interface ArgumentDescription extends ValueType {
  readonly name: string;
  readonly keywordOnly: boolean;
  readonly hasDefault: boolean;
}

export interface OperatorDescription {
  readonly name: string;
  readonly schema: string;
  /** Index of the argument that an in-place operator returns, or -1. */
  readonly returnedArgument: number;
  readonly arguments: readonly ArgumentDescription[];
  readonly returns: readonly ValueType[];
}

export interface RuntimeInfo {
  readonly version: string;
  readonly hasCuda: boolean;
  readonly cpu: string;
  readonly parallel: string;
}

/** Bytes that libtorch's allocator holds on a device. */
export interface DeviceMemory {
  /** In tensors now. */
  readonly sizeBytes: number;
  /** In tensors, at most, since the last reset. */
  readonly peakBytes: number;
  /** Taken from the device, at most, since the last reset: tensors and what is kept for reuse. */
  readonly reservedBytes: number;
}

type ErrorFactory = (code: ErrorCode, message: string, hint: string) => Error;

/** What native/addon.cc exports. */
export interface Native {
  call(operator: number, ...values: readonly unknown[]): unknown;
  setErrorFactory(factory: ErrorFactory): void;
  operatorId(name: string): number;
  describeOperator(name: string): OperatorDescription;
  release(handle: Handle): void;
  memory(): { numTensors: number; sizeBytes: number };
  tensorInfo(handle: Handle): [dtype: DType, device: string, ...shape: number[]];
  fromData(data: TypedArray, dtype: DType, shape: readonly number[], device: string): Handle;
  toData(handle: Handle, target: TypedArray, dtype: DType): void;
  item(handle: Handle): number | bigint | boolean;
  requiresGrad(handle: Handle): boolean;
  setRequiresGrad(handle: Handle, value: boolean): void;
  grad(handle: Handle): Handle | null;
  setGrad(handle: Handle, grad: Handle | null): void;
  setGradEnabled(value: boolean): boolean;
  backward(
    outputs: readonly Handle[],
    gradients: readonly Handle[] | null,
    retainGraph: boolean,
    createGraph: boolean,
  ): void;
  gradients(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    outputGradients: readonly Handle[] | null,
    retainGraph: boolean,
    createGraph: boolean,
  ): (Handle | null)[];
  graphNode(
    inputs: readonly Handle[],
    saved: readonly Handle[],
    outputs: readonly Handle[],
    gradient: (
      saved: readonly Handle[],
      gradients: readonly (Handle | null)[],
    ) => (Handle | null)[],
  ): Handle[];
  emptyStorage(handle: Handle): void;
  refillStorage(handle: Handle, source: Handle | null): void;
  manualSeed(seed: number | bigint): void;
  createGenerator(device: string, seed: number | bigint): GeneratorHandle;
  seedGenerator(generator: GeneratorHandle | string, seed: number | bigint): void;
  generatorState(generator: GeneratorHandle | string): Handle;
  setGeneratorState(generator: GeneratorHandle | string, state: Handle): void;
  numThreads(): number;
  setNumThreads(count: number): void;
  runtimeInfo(): RuntimeInfo;
  deviceNames(): string[];
  synchronize(device: string): void;
  deviceMemory(device: string): DeviceMemory;
  resetPeakMemory(device: string): void;
  startProfile(withDevice: boolean): void;
  stopProfile(path: string): void;
  openProcessGroup(options: GroupOptions): void;
  openSubGroup(name: string, ranks: readonly number[], timeoutMs: number): void;
  closeProcessGroups(): void;
  storeSet(key: string, value: string): void;
  storeGet(key: string): string | null;
  noteProgress(text: string): void;
  readProgress(waitMs: number): readonly string[] | null;
  noteWaiting(isWaiting: boolean): void;
  lostRank(): number | null;
  whyNoNccl(): string | null;
}

/** Where this process stands among those that train together. */
export interface GroupOptions {
  readonly name: string;
  readonly backend: 'gloo' | 'nccl';
  readonly rank: number;
  readonly size: number;
  /** Where rank 0 listens. */
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly silenceMs: number;
}

const STAMP_PATH: string = resolve(
  dirname(fileURLToPath(import.meta.url)),
  '../../build/addon.json',
);
const SETUP_HINT = 'Run `npm run setup`: it finds libtorch and builds the addon.';

/** Where set-up put the addon and the libtorch it was built against. */
export interface AddonStamp {
  readonly path: string;
  readonly libtorch: string;
  readonly version: string;
}

const stampSchema: z.ZodType<AddonStamp> = z.object({
  path: z.string(),
  libtorch: z.string(),
  version: z.string(),
});

let loaded: Native | undefined;

/** The addon, loaded at the first call. @throws OneVisionError 'libtorch' where it is not set up. */
export function native(): Native {
  loaded ??= loadAddon();
  return loaded;
}

/**
 * Reads build/addon.json.
 * @throws OneVisionError 'libtorch' where set-up has not run or libtorch's folder has gone
 */
export function readAddonStamp(path: string = STAMP_PATH): AddonStamp {
  let stamp: AddonStamp;
  try {
    stamp = stampSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const message = `Expected ${path}, written by set-up; it is missing or not readable.`;
    throw new OneVisionError('libtorch', message, { hint: SETUP_HINT, cause });
  }
  try {
    readFileSync(join(stamp.libtorch, 'include', 'ATen', 'core', 'Tensor.h'));
  } catch (cause) {
    const message = `Expected libtorch ${stamp.version} at ${stamp.libtorch}; it is not there.`;
    throw new OneVisionError('libtorch', message, { hint: SETUP_HINT, cause });
  }
  return stamp;
}

/**
 * Loads the addon that a stamp names.
 * @throws OneVisionError 'libtorch' with the loader's words where it does not load
 */
export function loadAddon(stampPath: string = STAMP_PATH): Native {
  const stamp = readAddonStamp(stampPath);
  try {
    const addon = createRequire(import.meta.url)(stamp.path) as Native;
    addon.setErrorFactory(
      (code, message, hint) => new OneVisionError(code, message, hint === '' ? {} : { hint }),
    );
    return addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Expected the addon ${stamp.path} to load; the system says: ${reason}`;
    throw new OneVisionError('libtorch', message, { hint: SETUP_HINT, cause });
  }
}
