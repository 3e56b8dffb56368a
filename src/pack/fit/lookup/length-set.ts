// A set of lengths as a two-level bitset: "the largest length in it that is at most x" in constant
// time.

/** Lengths 0 … max. About 1/8 byte a length. */
export class LengthSet {
  readonly #words: Int32Array;
  readonly #summary: Int32Array;

  constructor(max: number) {
    this.#words = new Int32Array((max >>> 5) + 1);
    this.#summary = new Int32Array((max >>> 10) + 1);
  }

  add(length: number): void {
    const word = length >>> 5;
    const top = word >>> 5;
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (length & 31));
    this.#summary[top] = (this.#summary[top] ?? 0) | (1 << (word & 31));
  }

  delete(length: number): void {
    const word = length >>> 5;
    const bits = (this.#words[word] ?? 0) & ~(1 << (length & 31));
    this.#words[word] = bits;
    if (bits !== 0) return;
    const top = word >>> 5;
    this.#summary[top] = (this.#summary[top] ?? 0) & ~(1 << (word & 31));
  }

  /** The largest length in the set that is ≤ `length`, or −1. `length` is at most max. */
  floor(length: number): number {
    if (length < 0) return -1;
    let word = length >>> 5;
    let bits = (this.#words[word] ?? 0) & (-1 >>> (31 - (length & 31)));
    if (bits !== 0) return (word << 5) + 31 - Math.clz32(bits);
    if (word === 0) return -1;
    word -= 1;
    let top = word >>> 5;
    bits = (this.#summary[top] ?? 0) & (-1 >>> (31 - (word & 31)));
    while (bits === 0) {
      if (top === 0) return -1;
      top -= 1;
      bits = this.#summary[top] ?? 0;
    }
    word = (top << 5) + 31 - Math.clz32(bits);
    return (word << 5) + 31 - Math.clz32(this.#words[word] ?? 0);
  }
}
