// What the planners solve and what they give back: samples with a leading and a side budget, and
// packs as two flat arrays. No algorithm.

/**
 * Samples to be laid into packs. The budget in shorter supply leads, the other one is checked.
 * Samples that need nothing of the leading budget, or more than there is of either, are passed over.
 */
export interface Problem {
  /** Need of each sample in the leading budget. `[samples]` */
  readonly lead: Uint32Array;
  /** Need in the other budget; undefined where it can refuse nothing. `[samples]` */
  readonly side: Uint32Array | undefined;
  /** The samples to choose from; undefined: all. */
  readonly items: Uint32Array | undefined;
  /** Samples that are not passed over. */
  readonly numItems: number;
  /** Those samples by their length in the leading budget. `[leadCapacity + 1]` */
  readonly histogram: Float64Array;
  readonly leadCapacity: number;
  readonly sideCapacity: number;
  /** Samples in one pack at most. */
  readonly segments: number;
  readonly seed: number;
}

/** Whether a sample is to be packed. */
export function fits({ lead, side, leadCapacity, sideCapacity }: Problem, sample: number): boolean {
  const need = lead[sample] ?? 0;
  if (need === 0 || need > leadCapacity) return false;
  return side === undefined || (side[sample] ?? 0) <= sideCapacity;
}

/** The samples of pack p are `members[starts[p] … starts[p + 1]]`. */
export interface Packs {
  readonly numPacks: number;
  readonly starts: Uint32Array;
  readonly members: Uint32Array;
}

/** Writes packs one after the other. Memory: 4 bytes a sample and a pack. */
export class PackWriter {
  numPacks = 0;
  numMembers = 0;
  readonly #members: Uint32Array;
  #starts: Uint32Array;

  /** @param members where the samples are written. */
  constructor(members: Uint32Array, expectedPacks: number) {
    this.#members = members;
    this.#starts = new Uint32Array(expectedPacks + 16);
  }

  /** Adds a sample to the pack that is open. */
  add(sample: number): void {
    this.#members[this.numMembers] = sample;
    this.numMembers += 1;
  }

  /** Closes the open pack. */
  close(): void {
    this.numPacks += 1;
    if (this.numPacks >= this.#starts.length) {
      const grown = new Uint32Array(Math.ceil(this.#starts.length * 1.25) + 16);
      grown.set(this.#starts);
      this.#starts = grown;
    }
    this.#starts[this.numPacks] = this.numMembers;
  }

  /** Takes back what was added to the open pack. */
  undo(numMembers: number): void {
    this.numMembers = numMembers;
  }

  finish(): Packs {
    return {
      numPacks: this.numPacks,
      starts: this.#starts.subarray(0, this.numPacks + 1),
      members: this.#members.subarray(0, this.numMembers),
    };
  }
}

/**
 * Packs from the pack of each sample: `packAt[i]` is that of `order[i]`, −1 for none. The samples of
 * a pack keep their order.
 */
export function toPacks(order: Uint32Array, packAt: Int32Array, numPacks: number): Packs {
  const starts = new Uint32Array(numPacks + 1);
  for (const pack of packAt) if (pack >= 0) starts[pack + 1] = (starts[pack + 1] ?? 0) + 1;
  for (let pack = 1; pack <= numPacks; pack += 1) {
    starts[pack] = (starts[pack] ?? 0) + (starts[pack - 1] ?? 0);
  }
  const members = new Uint32Array(starts[numPacks] ?? 0);
  const cursor = starts.slice();
  for (let i = 0; i < order.length; i += 1) {
    const pack = packAt[i] ?? -1;
    if (pack < 0) continue;
    const slot = cursor[pack] ?? 0;
    cursor[pack] = slot + 1;
    members[slot] = order[i] ?? 0;
  }
  return { numPacks, starts, members };
}

/** The packs of several plans, one after the other. */
export function concatPacks(parts: readonly Packs[]): Packs {
  const numPacks = parts.reduce((sum, part) => sum + part.numPacks, 0);
  const members = new Uint32Array(parts.reduce((sum, part) => sum + part.members.length, 0));
  const starts = new Uint32Array(numPacks + 1);
  let pack = 0;
  let cursor = 0;
  for (const part of parts) {
    members.set(part.members, cursor);
    for (let i = 0; i < part.numPacks; i += 1) starts[pack + i] = cursor + (part.starts[i] ?? 0);
    pack += part.numPacks;
    cursor += part.members.length;
  }
  starts[numPacks] = cursor;
  return { numPacks, starts, members };
}
