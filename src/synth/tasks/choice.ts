// A held-out item: the name of a picture among random other names. Not for training.
import { OneVisionError } from '../../core/errors.ts';
import { createRandom, type Random } from '../../core/hash.ts';
import { conversation, NAME_QUESTION } from '../phrases.ts';
import type { Subject, Task } from '../task.ts';

export interface ChoiceSettings {
  /** Number of options, the right one included; guessing scores 1 / options. */
  readonly options: number;
}

export const CHOICE_DEFAULTS: ChoiceSettings = { options: 4 };

export const choice: Task<ChoiceSettings> = {
  name: 'choice',
  generate({ seed, set, subjects, settings }, index) {
    const subject = subjects.at(index);
    const random = createRandom('choice', set, seed, subject.uid);
    const others = otherLabels(subject, subjects.items, settings.options - 1, random);
    return {
      image: subject.picture,
      group: subject.group,
      messages: conversation([[NAME_QUESTION, subject.label]]),
      meta: {
        task: 'choice',
        answer: subject.label,
        options: random.shuffle([subject.label, ...others]),
        concepts: subject.concepts,
      },
    };
  },
};

/**
 * `count` different labels of other groups, drawn at random.
 * @throws OneVisionError `data` when the pool holds too few labels
 */
export function otherLabels(
  subject: Subject,
  pool: readonly Subject[],
  count: number,
  random: Random,
): string[] {
  const labels = new Set<string>();
  for (let tries = 0; labels.size < count && tries < 200 * count; tries++) {
    const other = random.pick(pool);
    if (other.group !== subject.group && other.label !== subject.label) labels.add(other.label);
  }
  if (labels.size < count) {
    throw new OneVisionError(
      'data',
      `expected ${count} labels beside "${subject.label}" among ${pool.length} pictures, ` +
        `came ${labels.size}`,
      { hint: 'use more pictures or fewer options' },
    );
  }
  return [...labels];
}
