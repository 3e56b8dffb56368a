// What a config asks for against what a folder holds: names, shapes, types. All differences are
// counted, the first ten are named.

import { OneVisionError } from '../../core/errors.ts';
import type { DType } from '../../tensor/index.ts';
import type { LazyTensor } from '../../tensor/storage/stored-tensor.ts';
import type { StoredWeights } from './weights.ts';

const MOST_SHOWN = 10;
const FLOATS: readonly DType[] = ['bfloat16', 'float16', 'float32', 'float64'];

export interface CompareOptions {
  /** Names that may be there and are not read. */
  readonly mayBeThere?: readonly string[];
  /** Tensors may differ in type, because each is changed to one. Default false. */
  readonly mixedTypes?: boolean;
}

/**
 * @param wanted name → shape.
 * @throws OneVisionError 'checkpoint' listing the first ten missing, misshapen, mistyped and
 * unexpected tensors.
 */
export function compareWeights(
  { folder, tensors }: Pick<StoredWeights, 'folder' | 'tensors'>,
  wanted: ReadonlyMap<string, readonly number[]>,
  options: CompareOptions = {},
): void {
  const common = options.mixedTypes === true ? undefined : mostCommonType(tensors);
  const differences: string[] = [];
  for (const [name, shape] of wanted) {
    const stored = tensors.get(name);
    if (stored === undefined) differences.push(`missing: ${name} [${shape}]`);
    else if (stored.shape.join() !== shape.join()) {
      differences.push(`misshapen: ${name} is [${stored.shape}], expected [${shape}]`);
    } else if (!FLOATS.includes(stored.dtype)) {
      differences.push(
        `mistyped: ${name} is ${stored.dtype}, expected one of ${FLOATS.join(', ')}`,
      );
    } else if (common !== undefined && stored.dtype !== common) {
      differences.push(`mistyped: ${name} is ${stored.dtype}, expected ${common} as most others`);
    }
  }
  for (const name of tensors.keys()) {
    if (!wanted.has(name) && options.mayBeThere?.includes(name) !== true) {
      differences.push(`unexpected: ${name}`);
    }
  }
  checkNoDifferences(differences, {
    where: folder,
    numExpected: wanted.size,
    hint: 'check that config.json and the weights are of the same model, or ask for one dtype',
  });
}

/** @throws OneVisionError 'checkpoint' with the first ten, where there are any. */
export function checkNoDifferences(
  differences: readonly string[],
  about: { readonly where: string; readonly numExpected: number; readonly hint?: string },
): void {
  if (differences.length === 0) return;
  const { where, numExpected, hint = 'check that the config is of the same model' } = about;
  const more = differences.length - MOST_SHOWN;
  throw new OneVisionError(
    'checkpoint',
    `expected in ${where} the ${numExpected} tensors that its config asks for, ` +
      `came ${differences.length} differences:\n  ` +
      differences.slice(0, MOST_SHOWN).join('\n  ') +
      (more > 0 ? `\n  … and ${more} more` : ''),
    { hint },
  );
}

/** The type of most tensors. */
export function mostCommonType(tensors: ReadonlyMap<string, LazyTensor>): DType | undefined {
  const counts = new Map<DType, number>();
  for (const { dtype } of tensors.values()) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
