// Which ranks compute a pack together, and what a model must have for it.

import { OneVisionError } from '../../core/errors.ts';
import type { OneVisionConfig } from '../../model/config.ts';
import type { ProcessGroup } from '../../parallel/process-group.ts';
import { SequenceGroup } from '../../parallel/sequence.ts';
import type { TrainConfig } from '../config.ts';
import { type Ranks, ranksOf } from './ranks.ts';

/**
 * The ranks of a stage: `sequenceRanks` neighbours have their packs in common.
 * @throws OneVisionError 'recipe' where ranks or heads do not divide.
 */
export function openRanks(
  world: ProcessGroup | undefined,
  { sequenceRanks }: Pick<TrainConfig, 'sequenceRanks'>,
  model: OneVisionConfig,
): Ranks {
  if (sequenceRanks === 1) return ranksOf(world);
  const size = world?.size ?? 1;
  checkSlices(size, sequenceRanks, model);
  if (world === undefined) return ranksOf(world);
  const first = world.rank - (world.rank % sequenceRanks);
  const members = Array.from({ length: sequenceRanks }, (_, i) => first + i);
  const group = world.sub(`sequence ${first}-${members.at(-1)}`, members);
  return ranksOf(world, sequenceRanks, new SequenceGroup(group));
}

/** @throws OneVisionError 'recipe' where packs cannot be cut. */
export function checkSlices(
  size: number,
  sequenceRanks: number,
  { text, vision }: OneVisionConfig,
): void {
  const refuse = (expected: string, came: string): OneVisionError =>
    new OneVisionError('recipe', `expected ${expected}, came ${came}`, {
      hint: 'change `train.sequenceRanks` in the recipe, or the number of ranks',
    });
  if (size % sequenceRanks !== 0) {
    throw refuse(`sequenceRanks to divide the ${size} ranks`, String(sequenceRanks));
  }
  if (text.numHeads % sequenceRanks !== 0) {
    const expected = `sequenceRanks to divide the ${text.numHeads} heads of attention`;
    throw refuse(expected, String(sequenceRanks));
  }
  if (vision.hfCompatMultiImage === true) {
    const expected = 'a model without hfCompatMultiImage, whose images can be dealt to ranks';
    throw refuse(expected, `sequenceRanks ${sequenceRanks}`);
  }
}
