// Bicubic resizing of 8-bit RGB to the bit as Pillow does it, which the released models were
// trained with: antialiased, two passes, fixed-point weights. Not the rule for the target size.
// Shapes: pixels [height, width, 3], interleaved.

import type { RgbImage } from '../pixels.ts';
import { type Axis, planAxis } from './axis.ts';
import { BICUBIC_WASM } from './bicubic-wasm.ts';

/** The little of WebAssembly's interface that is used here: the types of Node leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** What bicubic.wat exports. Addresses and lengths in bytes. */
interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(numPages: number): number };
  row(
    source: number,
    firsts: number,
    counts: number,
    weights: number,
    stride: number,
    target: number,
    size: number,
  ): void;
  column(
    source: number,
    stride: number,
    weights: number,
    count: number,
    target: number,
    length: number,
  ): void;
}

const PAGE_BYTES = 65536;
/** The kernels read and write so far past the end of their ranges. */
const SLACK_BYTES = 16;
/** A memory grown beyond this (a picture of some 50 million pixels) is not kept. */
const MOST_BYTES_KEPT = 1 << 28;

/**
 * Resize to exactly width × height. The same size returns the image itself. Between the passes
 * pixels are rounded to bytes, so their order shows: rows first, but columns first where the
 * picture gets lower and wider (Pillow from version 13 on).
 */
export function resizeBicubic(image: RgbImage, width: number, height: number): RgbImage {
  const across = (from: RgbImage): RgbImage =>
    from.width === width ? from : resizeRows(from, planAxis(from.width, width));
  const down = (from: RgbImage): RgbImage =>
    from.height === height ? from : resizeColumns(from, planAxis(from.height, height));
  return height < image.height && width > image.width ? across(down(image)) : down(across(image));
}

function resizeRows({ data, width, height }: RgbImage, axis: Axis): RgbImage {
  const { size, first, count, weights, stride } = axis;
  const target = size * height * 3;
  return withMemory([target, data, first, count, weights], (kernels, at) => {
    const [to = 0, from = 0, firsts = 0, counts = 0, table = 0] = at;
    for (let y = 0; y < height; y++) {
      kernels.row(from + y * width * 3, firsts, counts, table, stride, to + y * size * 3, size);
    }
    return { width: size, height, data: read(kernels, to, target) };
  });
}

function resizeColumns({ data, width }: RgbImage, axis: Axis): RgbImage {
  const { size, first, count, weights, stride } = axis;
  const rowBytes = 3 * width;
  const target = size * rowBytes;
  return withMemory([target, data, weights], (kernels, at) => {
    const [to = 0, from = 0, table = 0] = at;
    for (let y = 0; y < size; y++) {
      const source = from + (first[y] as number) * rowBytes;
      const row = table + 4 * y * stride;
      kernels.column(source, rowBytes, row, count[y] as number, to + y * rowBytes, rowBytes);
    }
    return { width, height: size, data: read(kernels, to, target) };
  });
}

let instance: Kernels | undefined;

/**
 * Lay arrays into the kernels' memory, one after another; a number asks for that many bytes.
 * @param work is given the address of each.
 */
function withMemory<T>(
  parts: readonly (number | Uint8Array | Int32Array)[],
  work: (kernels: Kernels, addresses: readonly number[]) => T,
): T {
  instance ??= loadKernels();
  const { memory } = instance;
  let end = 0;
  const addresses = parts.map((part) => {
    const start = end;
    const bytes = typeof part === 'number' ? part : part.byteLength;
    end = Math.ceil((start + bytes + SLACK_BYTES) / SLACK_BYTES) * SLACK_BYTES;
    return start;
  });
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  const bytes = new Uint8Array(memory.buffer);
  for (const [i, part] of parts.entries()) {
    if (typeof part === 'number') continue;
    const plain = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    bytes.set(plain, addresses[i] as number);
  }
  const result = work(instance, addresses);
  if (memory.buffer.byteLength > MOST_BYTES_KEPT) instance = undefined;
  return result;
}

function loadKernels(): Kernels {
  const module = new WebAssembly.Module(Buffer.from(BICUBIC_WASM, 'base64'));
  return new WebAssembly.Instance(module).exports as Kernels;
}

function read({ memory }: Kernels, start: number, length: number): Uint8Array {
  return new Uint8Array(memory.buffer, start, length).slice();
}
