// The policy on bad samples: counted, named, skipped while they are few; fatal when they are not.
import { OneVisionError } from '../core/errors.ts';

export interface SkipCounter {
  readonly numGood: number;
  readonly numSkipped: number;
  /** How often each reason occurred. */
  readonly reasons: ReadonlyMap<string, number>;
  good(numSamples?: number): void;
  /** Record a skip. @throws OneVisionError 'data' as soon as the limit cannot be kept any more. */
  skip(where: string, reason: string, numSamples?: number): void;
  /** To be called at the end. @throws OneVisionError 'data' when too many were skipped. */
  check(): void;
}

export interface SkipOptions {
  /** Largest share of samples that may be skipped; default 0.001. */
  readonly maxRate?: number;
  /** As many are forgiven however small the corpus is; default 10. */
  readonly grace?: number;
  /** How many samples there should be; with it the limit acts before the end. */
  readonly expected?: number;
}

/** Count skips against a limit of `max(grace, maxRate × samples)`. */
export function createSkipCounter(options: SkipOptions = {}): SkipCounter {
  const { maxRate = 0.001, grace = 10, expected } = options;
  const reasons = new Map<string, number>();
  let numGood = 0;
  let numSkipped = 0;
  let last = '';
  const check = (total: number): void => {
    const limit = Math.max(grace, maxRate * total);
    if (numSkipped <= limit) return;
    const list = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 5);
    const found = list.map(([reason, count]) => `${count} × ${reason}`).join('; ');
    throw new OneVisionError(
      'data',
      `Expected at most ${Math.floor(limit)} bad samples of ${total}, got ${numSkipped}: ${found}. ` +
        `The last one: ${last}.`,
      { hint: 'repair or remove them, or raise maxSkipRate in the recipe' },
    );
  };
  return {
    get numGood() {
      return numGood;
    },
    get numSkipped() {
      return numSkipped;
    },
    reasons,
    good(numSamples = 1) {
      numGood += numSamples;
    },
    skip(where, reason, numSamples = 1) {
      numSkipped += numSamples;
      last = where;
      reasons.set(reason, (reasons.get(reason) ?? 0) + numSamples);
      if (expected !== undefined) check(Math.max(expected, numGood + numSkipped));
    },
    check: () => check(numGood + numSkipped),
  };
}
