// Deals items so that each comes once a round, every round in another seeded order.
import { createRandom } from '../core/hash.ts';

/** A deck of items. `at(index)` is pure; only the order of the last round is remembered. */
export class Deck<T> {
  readonly items: readonly T[];
  readonly #name: string;
  readonly #seed: number;
  #round = -1;
  #order: readonly T[] = [];

  constructor(items: readonly T[], name: string, seed: number) {
    this.items = items;
    this.#name = name;
    this.#seed = seed;
  }

  /** The item dealt at this index: index ÷ size is the round, the rest the place in its order. */
  at(index: number): T {
    if (this.items.length === 0) throw new RangeError(`expected items to deal for ${this.#name}`);
    const round = Math.floor(index / this.items.length);
    if (round !== this.#round) {
      this.#order = createRandom('deck', this.#name, this.#seed, round).shuffle(this.items);
      this.#round = round;
    }
    return this.#order[index % this.items.length] as T;
  }
}
