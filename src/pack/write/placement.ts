// The file between plan and writing, one a shard of packs: where the record of every sample lies. With
// it any process on any machine writes the shard alone.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { writeFileAtomic } from '../../core/files.ts';

/** The packs of one shard. S samples. */
export interface Placement {
  /** Number of its first pack in the whole set. */
  readonly firstPack: number;
  /** Samples of pack p: `ends[p] … ends[p + 1]`. `[packs + 1]` */
  readonly ends: Uint32Array;
  /** Where each record begins; see `RecordPlace`. `[S]` */
  readonly starts: Float64Array;
  /** Bytes to read. `[S]` */
  readonly sizes: Uint32Array;
  /** Number of a record in its file, where that is not the start. `[S]` */
  readonly numbers: Uint32Array;
  /** n where the uid ends in `~n`, else 1. `[S]` */
  readonly repeats: Uint32Array;
  /** Number of its archive. `[S]` */
  readonly files: Uint32Array;
  readonly tokens: Uint32Array;
  readonly patches: Uint32Array;
  /** How often the sample was drawn before. `[S]` */
  readonly copies: Uint32Array;
}

const HEADER_BYTES = 16;
const NUM_COLUMNS = 7;

export function allocatePlacement(firstPack: number, packs: number, samples: number): Placement {
  return viewsOf(new ArrayBuffer(byteLength(packs, samples)), firstPack, packs, samples);
}

export function placementPath(dir: string, shard: string): string {
  return join(dir, `${shard}.place`);
}

/** Writes it: uint32 firstPack, packs, S, 0; float64 starts; uint32 ends and the other columns. */
export async function writePlacement(path: string, placement: Placement): Promise<void> {
  const { firstPack, ends, starts } = placement;
  new Uint32Array(starts.buffer, 0, 4).set([firstPack, ends.length - 1, starts.length, 0]);
  await writeFileAtomic(path, new Uint8Array(starts.buffer));
}

/** @throws OneVisionError 'data' when the file has another size than its head says. */
export function readPlacement(path: string): Placement {
  const bytes = readFileSync(path);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const head = buffer.byteLength < HEADER_BYTES ? [] : new Uint32Array(buffer, 0, 4);
  const [firstPack = 0, packs = 0, samples = 0] = head;
  if (buffer.byteLength !== byteLength(packs, samples)) {
    throw new OneVisionError('data', `expected a whole placement in ${path}, came a damaged one`, {
      hint: 'delete the folder of this pack set and run the pack stage again',
    });
  }
  return viewsOf(buffer, firstPack, packs, samples);
}

function byteLength(packs: number, samples: number): number {
  return HEADER_BYTES + 8 * samples + 4 * (packs + 1) + 4 * NUM_COLUMNS * samples;
}

function viewsOf(
  buffer: ArrayBuffer,
  firstPack: number,
  packs: number,
  samples: number,
): Placement {
  let offset = HEADER_BYTES + 8 * samples;
  const take = (length: number): Uint32Array => {
    const view = new Uint32Array(buffer, offset, length);
    offset += 4 * length;
    return view;
  };
  return {
    firstPack,
    starts: new Float64Array(buffer, HEADER_BYTES, samples),
    ends: take(packs + 1),
    sizes: take(samples),
    numbers: take(samples),
    repeats: take(samples),
    files: take(samples),
    tokens: take(samples),
    patches: take(samples),
    copies: take(samples),
  };
}
