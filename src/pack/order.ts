// The order in which a stage sees its packs, as a file. The place in it is one integer, so a
// resumed run continues exactly where it was. Which samples share a pack is plan.ts's business.

import { readFile } from 'node:fs/promises';
import { OneVisionError } from '../core/errors.ts';
import { writeFileAtomic } from '../core/files.ts';
import { hashUint32 } from '../core/hash.ts';
import { shuffle } from './fit/shuffle.ts';

/** One stretch of a stage: `length` packs drawn from a set of `numPacks`. */
export interface OrderPhase {
  readonly numPacks: number;
  /** Packs to draw. More than `numPacks` means several epochs. */
  readonly length: number;
}

/** A pack to be read and how often it was read before; augmentation is seeded by both. */
export interface OrderEntry {
  readonly pack: number;
  readonly visit: number;
}

/** Packs of a stage in the order of training: pairs (pack, visit). `[length, 2]` */
export type PackOrder = Uint32Array;

/**
 * Draws the order. Within a phase every epoch is a new seeded shuffle of all its packs, one epoch
 * after the other; packs of the second phase are numbered after those of the first, and so on.
 *
 * @throws OneVisionError 'data' when a phase draws from no packs.
 */
export function drawOrder(phases: readonly OrderPhase[], seed: number): PackOrder {
  const length = phases.reduce((sum, phase) => sum + phase.length, 0);
  const order = new Uint32Array(2 * length);
  let cursor = 0;
  let offset = 0;
  phases.forEach((phase, phaseIndex) => {
    if (phase.numPacks === 0 && phase.length > 0) {
      throw new OneVisionError(
        'data',
        `Expected packs to train on in phase ${phaseIndex}, got none.`,
        {
          hint: 'See why samples were left out in the ledger of the pack stage.',
        },
      );
    }
    for (let done = 0, visit = 0; done < phase.length; visit += 1) {
      const epoch = Uint32Array.from({ length: phase.numPacks }, (_, pack) => offset + pack);
      shuffle(epoch, hashUint32('order', seed, phaseIndex, visit));
      for (const pack of epoch.subarray(0, phase.length - done)) {
        order[cursor] = pack;
        order[cursor + 1] = visit;
        cursor += 2;
      }
      done += epoch.length;
    }
    offset += phase.numPacks;
  });
  return order;
}

/** Number of packs in an order. */
export function orderLength(order: PackOrder): number {
  return order.length / 2;
}

/** The pack at one position. @throws RangeError past the end. */
export function orderEntry(order: PackOrder, position: number): OrderEntry {
  const pack = order[2 * position];
  const visit = order[2 * position + 1];
  if (pack === undefined || visit === undefined) {
    throw new RangeError(`position ${position} is past the end of an order of ${order.length / 2}`);
  }
  return { pack, visit };
}

/** Writes an order: little-endian uint32 pairs (pack, visit), nothing else. Atomic. */
export async function writeOrder(path: string, order: PackOrder): Promise<void> {
  const bytes = new DataView(new ArrayBuffer(order.length * 4));
  order.forEach((value, index) => {
    bytes.setUint32(4 * index, value, true);
  });
  await writeFileAtomic(path, new Uint8Array(bytes.buffer));
}

/**
 * Reads what `writeOrder` wrote.
 * @throws OneVisionError 'data' when the file is not a whole number of pairs.
 */
export async function readOrder(path: string): Promise<PackOrder> {
  const bytes = await readFile(path);
  if (bytes.length % 8 !== 0) {
    throw new OneVisionError(
      'data',
      `Expected pairs of uint32 in the order file ${path}, got ${bytes.length} bytes.`,
      { hint: `Delete ${path}; it is drawn again from the seed.` },
    );
  }
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) =>
    bytes.readUInt32LE(4 * index),
  );
}
