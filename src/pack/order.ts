// The order in which a stage sees its packs, as a file. The place in it is one integer, so a
// resumed run continues exactly where it was. Which samples share a pack is plan.ts's business.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { OneVisionError } from '../core/errors.ts';
import { writeFileAtomic } from '../core/files.ts';
import { hashUint32 } from '../core/hash.ts';
import { shuffle } from './fit/shuffle.ts';
import { drawCounts, type Share } from './mixture.ts';

/** A pack set in a phase, and how much of the phase it gets. None of the shares: by its size. */
export interface OrderSet extends Share {
  readonly numPacks: number;
}

/** One stretch of a stage: `length` packs drawn from some sets. */
export interface OrderPhase {
  readonly sets: readonly OrderSet[];
  /** Packs to draw. More than there are means several epochs. */
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
 * Draws the order. Of each set, every epoch is a new seeded shuffle of all its packs, one epoch after
 * the other. Several sets of a phase alternate by their shares, as evenly as whole packs allow.
 * Packs are numbered over all sets of all phases in turn.
 *
 * @throws OneVisionError 'data' when a phase draws from no packs; 'recipe' when counts and epochs
 * do not sum to the phase and no set has a weight.
 */
export function drawOrder(phases: readonly OrderPhase[], seed: number): PackOrder {
  const length = phases.reduce((sum, phase) => sum + phase.length, 0);
  const order = new Uint32Array(2 * length);
  let cursor = 0;
  let offset = 0;
  phases.forEach((phase, phaseIndex) => {
    const counts = setCounts(phase, phaseIndex);
    const draws = phase.sets.map(({ numPacks }, set) => {
      const draw = epochs(offset, numPacks, (visit) =>
        set === 0
          ? hashUint32('order', seed, phaseIndex, visit)
          : hashUint32('order', seed, phaseIndex, visit, set),
      );
      offset += numPacks;
      return draw;
    });
    for (const set of alternate(counts)) {
      const { value } = draws[set]?.next() ?? {};
      order.set(value ?? [], cursor);
      cursor += 2;
    }
  });
  return order;
}

/** Packs that each set of a phase gives; they sum to its length. */
function setCounts({ sets, length }: OrderPhase, phase: number): number[] {
  const sizes = sets.map((set) => set.numPacks);
  if (length > 0 && sizes.every((size) => size === 0)) {
    throw new OneVisionError('data', `Expected packs to train on in phase ${phase}, got none.`, {
      hint: 'See why samples were left out in the ledger of the pack stage.',
    });
  }
  const shares = sets.map((set): Share => {
    const open = set.count === undefined && set.epochs === undefined && set.weight === undefined;
    return open ? { weight: Math.max(set.numPacks, Number.MIN_VALUE) } : set;
  });
  const counts = drawCounts(shares, sizes, length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total !== length) {
    throw new OneVisionError(
      'recipe',
      `expected pack sets that give the ${length} packs of phase ${phase}, came ${total}`,
      { hint: 'give one of the sets a weight, or change the steps of the phase' },
    );
  }
  return counts;
}

/** Pairs (pack, visit) of one set for ever: epoch after epoch, each in its own order. */
function* epochs(
  offset: number,
  numPacks: number,
  seedOf: (visit: number) => number,
): Generator<[number, number], undefined> {
  for (let visit = 0; numPacks > 0; visit += 1) {
    const epoch = Uint32Array.from({ length: numPacks }, (_, pack) => offset + pack);
    shuffle(epoch, seedOf(visit));
    for (const pack of epoch) yield [pack, visit];
  }
}

/** Which set comes next, so that after any number of packs each has had its share to within one. */
function* alternate(counts: readonly number[]): Generator<number> {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const given = counts.map(() => 0);
  for (let done = 0; done < total; done += 1) {
    let next = 0;
    let due = Number.POSITIVE_INFINITY;
    counts.forEach((count, set) => {
      const at = ((given[set] ?? 0) + 0.5) / count;
      if (count > (given[set] ?? 0) && at < due) [next, due] = [set, at];
    });
    given[next] = (given[next] ?? 0) + 1;
    yield next;
  }
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
    throw pastEnd(position, orderLength(order));
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

/** An order of which entries are asked for one by one. */
export interface OrderFile {
  /** Number of packs. */
  readonly length: number;
  /** The pack at one position. @throws RangeError past the end. */
  entry(position: number): OrderEntry;
  close(): void;
}

/** Bytes read at a time: 4096 entries. */
const BLOCK_BYTES = 32_768;

/**
 * Opens what `writeOrder` wrote. Only the blocks around the entries asked for are read, so that a run
 * goes on from anywhere in an order of any length at once.
 *
 * @throws OneVisionError 'data' when the file is not a whole number of pairs.
 */
export function openOrder(path: string): OrderFile {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  if (size % 8 !== 0) {
    closeSync(file);
    throw new OneVisionError(
      'data',
      `Expected pairs of uint32 in the order file ${path}, got ${size} bytes.`,
      { hint: `Delete ${path}; it is drawn again from the seed.` },
    );
  }
  const length = size / 8;
  const block = Buffer.alloc(BLOCK_BYTES);
  let start = -1;
  return {
    length,
    entry: (position) => {
      if (!(position >= 0 && position < length)) throw pastEnd(position, length);
      const at = 8 * position;
      const within = at % BLOCK_BYTES;
      if (at - within !== start) {
        start = at - within;
        readSync(file, block, 0, BLOCK_BYTES, start);
      }
      return { pack: block.readUInt32LE(within), visit: block.readUInt32LE(within + 4) };
    },
    close: () => closeSync(file),
  };
}

/** An order that is in memory, as one of a file. */
export function orderInMemory(order: PackOrder): OrderFile {
  return {
    length: orderLength(order),
    entry: (position) => orderEntry(order, position),
    close: () => undefined,
  };
}

/** Reads the whole of what `writeOrder` wrote. @throws OneVisionError as `openOrder`. */
export function readOrder(path: string): PackOrder {
  const file = openOrder(path);
  const order = new Uint32Array(2 * file.length);
  for (let i = 0; i < file.length; i += 1) {
    const { pack, visit } = file.entry(i);
    order[2 * i] = pack;
    order[2 * i + 1] = visit;
  }
  file.close();
  return order;
}

function pastEnd(position: number, length: number): RangeError {
  return new RangeError(`position ${position} is past the end of an order of ${length}`);
}
