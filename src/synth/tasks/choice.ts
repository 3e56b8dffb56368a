// A held-out item: the name of a picture among random other names. Not for training.
import { OneVisionError } from '../../core/errors.ts';
import { createRandom, type Random } from '../../core/hash.ts';
import { conversation, DESCRIBE_QUESTION, NAME_QUESTION } from '../phrases.ts';
import type { Subject, Task } from '../task.ts';

export interface ChoiceSettings {
  /** Number of options, the right one included; guessing scores 1 / options. */
  readonly options: number;
  /** What the options are: names, or names with their kind and first tags. */
  readonly ask: 'name' | 'description';
}

export const CHOICE_DEFAULTS: ChoiceSettings = { options: 4, ask: 'name' };

export const choice: Task<ChoiceSettings> = {
  name: 'choice',
  generate({ seed, set, subjects, settings }, index) {
    const subject = subjects.at(index);
    const random = createRandom('choice', set, seed, subject.uid);
    const others = otherSubjects(subject, subjects.items, settings.options - 1, random);
    const describes = settings.ask === 'description';
    const textOf = (one: Subject): string =>
      describes ? description(one, one.tags.slice(0, MAX_TAGS)) : one.label;
    const answer = textOf(subject);
    return {
      image: subject.picture,
      group: subject.group,
      messages: conversation([[describes ? DESCRIBE_QUESTION : NAME_QUESTION, answer]]),
      meta: {
        task: 'choice',
        answer,
        options: random.shuffle([answer, ...others.map(textOf)]),
        concepts: subject.concepts,
      },
    };
  },
};

/** Tags in a description that is an option. */
const MAX_TAGS = 4;

/** `kind: label, tag, tag`: a name with what is known around it. */
export function description({ kind, label }: Subject, tags: readonly string[] = []): string {
  const named = [label, ...tags].join(', ');
  return kind === undefined ? named : `${kind}: ${named}`;
}

/**
 * `count` subjects of other groups with different labels, drawn at random.
 * @throws OneVisionError `data` when the pool holds too few labels
 */
export function otherSubjects(
  subject: Subject,
  pool: readonly Subject[],
  count: number,
  random: Random,
): Subject[] {
  const byLabel = new Map<string, Subject>();
  for (let tries = 0; byLabel.size < count && tries < 200 * count; tries++) {
    const other = random.pick(pool);
    if (other.group === subject.group || other.label === subject.label) continue;
    if (!byLabel.has(other.label)) byLabel.set(other.label, other);
  }
  if (byLabel.size < count) {
    throw new OneVisionError(
      'data',
      `expected ${count} labels beside "${subject.label}" among ${pool.length} pictures, ` +
        `came ${byLabel.size}`,
      { hint: 'use more pictures or fewer options' },
    );
  }
  return [...byLabel.values()];
}
