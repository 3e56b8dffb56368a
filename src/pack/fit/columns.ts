// The linear relaxation of packing by patterns (Gilmore and Gomory, Operations Research 9, 1961):
// how many packs of which composition, fractions allowed, and a lower bound. Lengths are classes.

/** Lengths that differ and how often each occurs. */
export interface Classes {
  /** Rising, at least 1. `[classes]` */
  readonly lengths: readonly number[];
  readonly counts: readonly number[];
  readonly capacity: number;
}

/** Classes in a pack, as pairs class, times. */
export type Pattern = readonly number[];

export interface Relaxation {
  /** Patterns and how many packs follow each. */
  readonly patterns: readonly { readonly pattern: Pattern; readonly packs: number }[];
  /** No plan of these lengths has fewer packs, fractions included. */
  readonly bound: number;
}

/** Weight of the best prices so far against those of the present basis. */
const SMOOTHING = 0.9;
/** Part of the bound by which the solution may still exceed it. */
const TOLERANCE = 1e-5;
const EPSILON = 1e-7;
/** Work is bounded by a count, not by a clock, so that the result is the same everywhere. */
const MAX_ROUNDS = 2000;

/**
 * Solves min Σ x_p over patterns p with Σ_p p_i·x_p = counts_i by column generation: the simplex
 * method over known patterns, new ones from a knapsack over the prices. Prices are smoothed
 * (Wentges 1997); any prices y give the bound Σ y_i·counts_i / max_p Σ y_i·p_i (Farley 1990).
 */
export function relax(classes: Classes): Relaxation {
  const simplex = new Simplex(classes);
  const knapsack = new Knapsack(classes);
  let smoothing = SMOOTHING;
  let centre: Float64Array | undefined;
  let bound = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const prices = rising(simplex.prices, centre, smoothing);
    const best = knapsack.solve(prices);
    const value =
      prices.reduce((sum, price, i) => sum + price * (classes.counts[i] ?? 0), 0) / best;
    if (value > bound) {
      bound = value;
      centre = prices.map((price) => price / best);
    }
    if (simplex.value() - bound <= TOLERANCE * bound) break;
    if (simplex.improve(knapsack.patterns())) continue;
    if (smoothing === 0) break;
    smoothing = smoothing < 0.05 ? 0 : smoothing / 2;
  }
  return { patterns: simplex.solution(), bound };
}

/** Mixes two price lists and makes them rise with the length, as prices of the optimum do. */
function rising(
  prices: Float64Array,
  centre: Float64Array | undefined,
  smoothing: number,
): Float64Array {
  let highest = 0;
  return prices.map((price, i) => {
    const mixed =
      centre === undefined ? price : smoothing * (centre[i] ?? 0) + (1 - smoothing) * price;
    highest = Math.max(highest, mixed);
    return highest;
  });
}

/** The most valuable pattern under given prices, and good ones around each class. */
class Knapsack {
  readonly #lengths: readonly number[];
  readonly #capacity: number;
  /** Best value within each capacity, and the class taken last; −1: as with one less. */
  readonly #value: Float64Array;
  readonly #last: Int32Array;

  constructor({ lengths, capacity }: Classes) {
    this.#lengths = lengths;
    this.#capacity = capacity;
    this.#value = new Float64Array(capacity + 1);
    this.#last = new Int32Array(capacity + 1);
  }

  /** @param prices rising. Returns the value of the best pattern. */
  solve(prices: Float64Array): number {
    const useful: number[] = []; // a class that costs more room for the same price is not
    prices.forEach((price, i) => {
      if (price > (prices[useful.at(-1) ?? -1] ?? 0) + 1e-12) useful.push(i);
    });
    const lengths = Int32Array.from(useful, (i) => this.#lengths[i] ?? 0);
    const values = Float64Array.from(useful, (i) => prices[i] ?? 0);
    const value = this.#value;
    value.fill(0);
    this.#last.fill(-1);
    for (let room = lengths[0] ?? 1; room <= this.#capacity; room += 1) {
      let best = value[room - 1] ?? 0;
      let last = -1;
      for (let k = 0; k < lengths.length; k += 1) {
        const length = lengths[k] ?? 0;
        if (length > room) break;
        const sum = (value[room - length] ?? 0) + (values[k] ?? 0);
        if (sum <= best) continue;
        best = sum;
        last = k;
      }
      value[room] = best;
      if (last >= 0) this.#last[room] = useful[last] ?? -1;
    }
    return value[this.#capacity] ?? 0;
  }

  /** The best pattern, and for each class the best one that holds it. */
  patterns(): Pattern[] {
    const found = new Map<string, Pattern>();
    const offer = (pattern: Pattern): unknown => found.set(pattern.join(), pattern);
    offer(this.#trace(this.#capacity, -1));
    this.#lengths.forEach((length, i) => {
      offer(this.#trace(this.#capacity - length, i));
    });
    return [...found.values()];
  }

  #trace(capacity: number, first: number): Pattern {
    const times = new Map<number, number>(first < 0 ? [] : [[first, 1]]);
    for (let room = capacity; room > 0; ) {
      const i = this.#last[room] ?? -1;
      if (i < 0) room -= 1;
      else {
        times.set(i, (times.get(i) ?? 0) + 1);
        room -= this.#lengths[i] ?? 0;
      }
    }
    return [...times].sort(([a], [b]) => a - b).flat();
  }
}

/** The revised simplex method with a dense inverse of the basis. */
class Simplex {
  /** What one more sample of each class would cost in packs. */
  readonly prices: Float64Array;
  readonly #size: number;
  readonly #basis: Pattern[];
  /** Row-major. */
  readonly #inverse: Float64Array;
  readonly #packs: Float64Array;
  readonly #column: Float64Array;

  /** Starts from packs of one class each. */
  constructor({ lengths, counts, capacity }: Classes) {
    const size = lengths.length;
    const times = lengths.map((length) => Math.floor(capacity / length));
    this.#size = size;
    this.#basis = times.map((n, i) => [i, n]);
    this.#inverse = new Float64Array(size * size);
    times.forEach((n, i) => {
      this.#inverse[i * size + i] = 1 / n;
    });
    this.#packs = Float64Array.from(times, (n, i) => (counts[i] ?? 0) / n);
    this.prices = Float64Array.from(times, (n) => 1 / n);
    this.#column = new Float64Array(size);
  }

  value(): number {
    return this.#packs.reduce((sum, packs) => sum + packs, 0);
  }

  solution(): Relaxation['patterns'] {
    return this.#basis.map((pattern, i) => ({ pattern, packs: this.#packs[i] ?? 0 }));
  }

  /** Brings in patterns worth more than a pack until none is; false when none was. */
  improve(patterns: readonly Pattern[]): boolean {
    for (let changed = false; ; changed = true) {
      let best: Pattern | undefined;
      let worth = 1 + EPSILON;
      for (const pattern of patterns) {
        const value = this.#worth(pattern);
        if (value > worth) [best, worth] = [pattern, value];
      }
      if (best === undefined || !this.#enter(best, worth)) return changed;
    }
  }

  #worth(pattern: Pattern): number {
    let value = 0;
    for (let i = 0; i < pattern.length; i += 2) {
      value += (this.prices[pattern[i] ?? 0] ?? 0) * (pattern[i + 1] ?? 0);
    }
    return value;
  }

  #enter(pattern: Pattern, worth: number): boolean {
    const size = this.#size;
    const column = this.#column;
    for (let row = 0; row < size; row += 1) {
      let sum = 0;
      for (let i = 0; i < pattern.length; i += 2) {
        sum += (this.#inverse[row * size + (pattern[i] ?? 0)] ?? 0) * (pattern[i + 1] ?? 0);
      }
      column[row] = sum;
    }
    const leaving = this.#leaving();
    if (leaving < 0) return false;
    this.#pivot(leaving);
    const gain = 1 - worth;
    for (let i = 0; i < size; i += 1) {
      const entry = this.#inverse[leaving * size + i] ?? 0;
      this.prices[i] = (this.prices[i] ?? 0) + gain * entry;
    }
    this.#basis[leaving] = pattern;
    return true;
  }

  /** The row whose packs run out first as the new pattern comes in. */
  #leaving(): number {
    let leaving = -1;
    let least = Number.POSITIVE_INFINITY;
    this.#column.forEach((entry, row) => {
      if (entry <= 1e-9) return;
      const ratio = (this.#packs[row] ?? 0) / entry;
      const tie = leaving >= 0 && ratio <= least + 1e-12 && entry > (this.#column[leaving] ?? 0);
      if (ratio < least - 1e-12 || tie) [leaving, least] = [row, ratio];
    });
    return leaving;
  }

  #pivot(leaving: number): void {
    const size = this.#size;
    const inverse = this.#inverse;
    const packs = this.#packs;
    const from = leaving * size;
    const pivot = this.#column[leaving] ?? 1;
    const entering = (packs[leaving] ?? 0) / pivot;
    for (let i = 0; i < size; i += 1) inverse[from + i] = (inverse[from + i] ?? 0) / pivot;
    for (let row = 0; row < size; row += 1) {
      const factor = this.#column[row] ?? 0;
      if (row === leaving || factor === 0) continue;
      const to = row * size;
      for (let i = 0; i < size; i += 1) {
        inverse[to + i] = (inverse[to + i] ?? 0) - factor * (inverse[from + i] ?? 0);
      }
      packs[row] = Math.max(0, (packs[row] ?? 0) - factor * entering);
    }
    packs[leaving] = entering;
  }
}
