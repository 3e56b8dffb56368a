// A tensor that lies in a file: described, and read when it is asked for. Mapped where it can stay
// as it is; otherwise streamed in small pieces, so that no second copy is ever in memory.
import { closeSync, openSync, readSync } from 'node:fs';
import { OneVisionError } from '../../core/errors.ts';
import type { DType } from '../dtype.ts';
import * as ops from '../ops.ts';
import { keep, tidy } from '../scope.ts';
import { fromArray, type Tensor } from '../tensor.ts';

const CHUNK_BYTES = 2 * 1024 * 1024;

/** Where a tensor goes and as what. */
export interface Placement {
  /** Default: as stored. */
  readonly dtype?: DType | undefined;
  /** Default: cpu. */
  readonly device?: string | undefined;
  /** Leave the data in the mapped file where type and device allow it. Default true. */
  readonly mapped?: boolean | undefined;
}

/** A tensor that is not in memory yet. */
export interface LazyTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** A new tensor each time; the caller owns it. */
  read(placement?: Placement): Tensor;
}

/** Where the elements of a tensor lie in a file, row-major without gaps. */
export interface Region {
  readonly begin: number;
  readonly end: number;
  readonly dtype: DType;
  readonly itemBytes: number;
  readonly shape: readonly number[];
}

/** A file of tensors. Mapped tensors stay valid after `close`. */
export class TensorFile {
  readonly path: string;
  readonly #fileBytes: number;
  #map: Tensor | undefined;
  #closed = false;

  constructor(path: string, fileBytes: number) {
    this.path = path;
    this.#fileBytes = fileBytes;
  }

  /** @throws OneVisionError 'checkpoint' where the file is closed or became shorter */
  read(region: Region, placement: Placement = {}): Tensor {
    if (this.#closed) {
      throw new OneVisionError('checkpoint', `Expected ${this.path} to be open; it is closed.`);
    }
    const { dtype = region.dtype, device = 'cpu', mapped = true } = placement;
    const stays = mapped && dtype === region.dtype && device === 'cpu';
    if (!stays || region.begin % region.itemBytes !== 0 || region.begin === region.end) {
      return this.#stream(region, dtype, device);
    }
    const options = { shared: false, size: this.#fileBytes, dtype: 'uint8' } as const;
    this.#map ??= keep(ops.fromFile(this.path, options));
    const map = this.#map;
    return tidy(() => {
      const bytes = ops.narrow(map, 0, region.begin, region.end - region.begin);
      return ops.view(ops.viewDtype(bytes, region.dtype), region.shape);
    });
  }

  close(): void {
    this.#closed = true;
    this.#map?.dispose();
  }

  /** File → a small buffer → the tensor, piece by piece. */
  #stream(region: Region, dtype: DType, device: string): Tensor {
    const { begin, end, itemBytes, shape } = region;
    const target = ops.empty(shape, { dtype, device });
    const file = openSync(this.path, 'r');
    try {
      const buffer = new Uint8Array(Math.min(CHUNK_BYTES, end - begin));
      for (let start = begin; start < end; start += CHUNK_BYTES) {
        const piece = buffer.subarray(0, Math.min(CHUNK_BYTES, end - start));
        readFully(file, piece, start, this.path);
        tidy(() => {
          const source = ops.viewDtype(fromArray(piece, [piece.byteLength]), region.dtype);
          const at = (start - begin) / itemBytes;
          const length = piece.byteLength / itemBytes;
          ops.copy_(ops.narrow(ops.view(target, [-1]), 0, at, length), source);
        });
      }
    } finally {
      closeSync(file);
    }
    return target;
  }
}

/** Fill a buffer from a position of a file. @throws OneVisionError 'checkpoint' where it ends */
export function readFully(file: number, into: Uint8Array, position: number, path: string): void {
  let got = 0;
  while (got < into.byteLength) {
    const count = readSync(file, into, got, into.byteLength - got, position + got);
    if (count === 0) {
      throw new OneVisionError(
        'checkpoint',
        `Expected ${path} to have ${position + into.byteLength} bytes; it ends at ${position + got}.`,
        { hint: 'The file is truncated. Copy or download it again.' },
      );
    }
    got += count;
  }
}

/** A tensor in memory as a lazy one: read() gives a copy where something changes, else a view. */
export function lazyOf(tensor: Tensor): LazyTensor {
  return {
    dtype: tensor.dtype,
    shape: tensor.shape,
    read: ({ dtype = tensor.dtype, device = tensor.device } = {}) =>
      dtype === tensor.dtype && device === tensor.device
        ? ops.detach(tensor)
        : ops.toCopy(ops.detach(tensor), { dtype, device }),
  };
}

/** A lazy tensor computed from others: `make` runs inside a `tidy` of its own at each read. */
export function lazyFrom(
  described: { readonly dtype: DType; readonly shape: readonly number[] },
  make: () => Tensor,
): LazyTensor {
  const { dtype, shape } = described;
  return {
    dtype,
    shape,
    read: (placement = {}) =>
      tidy(() => {
        const made = make();
        const { dtype: to = dtype, device = made.device } = placement;
        return made.dtype === to && made.device === device
          ? made
          : ops.toCopy(made, { dtype: to, device });
      }),
  };
}
