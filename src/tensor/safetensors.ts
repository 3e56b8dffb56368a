// Safetensors files: reading through a memory map, writing whole or not at all. The format is
// 8 bytes of header length, a JSON header, then the raw little-endian data of every tensor.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { OneVisionError } from '../core/errors.ts';
import { createFileAtomic } from '../core/files.ts';
import type { DType } from './dtype.ts';
import * as ops from './ops.ts';
import { keep, tidy } from './scope.ts';
import { type Entry, formatHeader, parseHeader } from './storage/safetensors-header.ts';
import { type LazyTensor, lazyOf, type Placement, TensorFile } from './storage/stored-tensor.ts';
import type { Tensor } from './tensor.ts';

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100 * 1024 * 1024;
const CHUNK_BYTES = 16 * 1024 * 1024;

/** An open safetensors file. Its tensors stay valid after `close`. */
export interface SafetensorsFile {
  readonly path: string;
  /** In the order of the data. */
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  shape(name: string): readonly number[];
  dtype(name: string): DType;
  /**
   * A tensor over the mapped file: pages are read when touched, and writing to it changes memory
   * only, never the file. Streamed into memory instead where the placement asks for another type
   * or device, or the data is not aligned to its element size.
   */
  tensor(name: string, placement?: Placement): Tensor;
  /** The same, to be read later; the file must still be open then. */
  lazy(name: string): LazyTensor;
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Opens a safetensors file and checks its whole header against the file's size.
 * @throws OneVisionError 'checkpoint' where the file is missing, truncated or contradicts itself
 */
export function openSafetensors(path: string): SafetensorsFile {
  const { headerBytes, fileBytes } = readHeader(path);
  const dataStart = LENGTH_BYTES + headerBytes.byteLength;
  const { entries, metadata } = parseHeader(headerBytes, fileBytes - dataStart, path);
  const file = new TensorFile(path, fileBytes);
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name);
    if (entry !== undefined) return entry;
    throw new OneVisionError('checkpoint', `Expected a tensor named ${name} in ${path}; none.`, {
      hint: `The file holds ${[...entries.keys()].slice(0, 5).join(', ')}, …`,
    });
  };
  const tensor = (name: string, placement?: Placement): Tensor => {
    const entry = entryOf(name);
    const { begin, end } = entry;
    return file.read({ ...entry, begin: dataStart + begin, end: dataStart + end }, placement);
  };
  const close = (): void => file.close();
  return {
    path,
    names: [...entries.keys()],
    metadata,
    shape: (name) => entryOf(name).shape,
    dtype: (name) => entryOf(name).dtype,
    tensor,
    lazy: (name) => {
      const { dtype, shape } = entryOf(name);
      return { dtype, shape, read: (placement) => tensor(name, placement) };
    },
    close,
    [Symbol.dispose]: close,
  };
}

function readHeader(path: string): { headerBytes: Uint8Array; fileBytes: number } {
  const file = openForReading(path);
  try {
    const fileBytes = fstatSync(file).size;
    const length = Buffer.alloc(LENGTH_BYTES);
    const got = readSync(file, length, 0, LENGTH_BYTES, 0);
    const headerLength = got === LENGTH_BYTES ? Number(length.readBigUInt64LE()) : 0;
    if (headerLength < 2 || headerLength > Math.min(MAX_HEADER_BYTES, fileBytes - LENGTH_BYTES)) {
      const came = `${fileBytes} bytes that announce a header of ${headerLength}`;
      throw new OneVisionError(
        'checkpoint',
        `Expected a safetensors file at ${path}; got ${came}.`,
        {
          hint: 'The file is truncated or of another kind. Copy or download it again.',
        },
      );
    }
    const headerBytes = Buffer.alloc(headerLength);
    readSync(file, headerBytes, 0, headerLength, LENGTH_BYTES);
    return { headerBytes, fileBytes };
  } finally {
    closeSync(file);
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OneVisionError('checkpoint', `Expected a safetensors file at ${path}; ${reason}.`, {
      hint: 'Check the path; a model folder needs every file that its index names.',
      cause,
    });
  }
}

/**
 * Writes tensors to a safetensors file: the old file stays until the new one is whole. The bytes
 * depend on the tensors and the metadata only (wide element types first, then by name).
 * @throws OneVisionError 'disk' where the file cannot be written
 */
export function saveSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const lazies = Object.entries(tensors).map(([name, tensor]) => [name, lazyOf(tensor)] as const);
  return writeSafetensors(path, new Map(lazies), metadata);
}

/** The same for tensors that are read one by one, as they are written. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, LazyTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { header, order } = formatHeader(Object.fromEntries(tensors), metadata);
  const file = await createFileAtomic(path);
  try {
    await file.write(header);
    for (const name of order) {
      const lazy = tensors.get(name);
      if (lazy === undefined) continue;
      const tensor = keep(lazy.read());
      try {
        for (const chunk of rawBytes(tensor)) await file.write(chunk);
      } finally {
        tensor.dispose();
      }
    }
    await file.commit();
  } finally {
    await file.abort();
  }
}

/** A tensor's elements as stored, in pieces. */
export function* rawBytes(tensor: Tensor): Generator<Uint8Array> {
  if (tensor.numel === 0) return;
  const bytes = keep(
    tidy(() => ops.viewDtype(ops.reshape(ops.contiguous(ops.detach(tensor)), [-1]), 'uint8')),
  );
  try {
    for (let start = 0; start < bytes.numel; start += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, bytes.numel - start);
      yield tidy(() => ops.narrow(bytes, 0, start, length).toArray()) as Uint8Array;
    }
  } finally {
    bytes.dispose();
  }
}
