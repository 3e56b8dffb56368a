// Binds a set of the configuration to its task and pool: index in, draft out. No files.
import { OneVisionError } from '../core/errors.ts';
import type { SynthConfig, SynthSet } from './config.ts';
import { Deck } from './deck.ts';
import type { DigitSides } from './digits.ts';
import type { SubjectPools } from './subjects.ts';
import type { Draft, Subject, TaskContext } from './task.ts';
import {
  caption,
  choice,
  colour,
  counting,
  grid,
  numbers,
  position,
  relation,
  yesNo,
} from './tasks/index.ts';

/** All that sets are made of. */
export interface Materials {
  readonly subjects: SubjectPools;
  readonly digits: DigitSides;
  readonly config: Pick<SynthConfig, 'seed' | 'size'>;
}

/** A set that is ready to be made. */
export interface Generator {
  /** How many samples it has. */
  readonly count: number;
  draft(index: number): Draft | Promise<Draft>;
}

/**
 * The generator of one set. It sees the pictures of its pool and the digits of its side, nothing
 * else, so a training set cannot show what is held out.
 *
 * @throws OneVisionError `data` when its pool or its digits are empty
 */
export function createGenerator(materials: Materials, set: SynthSet): Generator {
  const { seed, size } = materials.config;
  const side = set.pool === 'train' ? 'train' : 'heldOut';
  const digits = materials.digits[side];
  const pictures = materials.subjects[set.pool];
  const onlyDigits = set.task === 'numbers' || set.task === 'grid';
  if (!onlyDigits && pictures.length === 0) throw emptyPool(set, 'pictures');
  const needsDigits = onlyDigits || set.task === 'colour';
  if (needsDigits && digits.length < 10) throw emptyPool(set, 'digits');
  const name = `${side}/${set.name}`;
  const subjects = new Deck<Subject>(pictures, name, seed);
  const context = { seed, set: name, size, subjects, digits };
  return {
    count: set.count === 0 ? pictures.length : set.count,
    draft: (index) => generate(context, set, index),
  };
}

function generate(
  context: Omit<TaskContext<never>, 'settings'>,
  set: SynthSet,
  index: number,
): Draft {
  switch (set.task) {
    case 'caption':
      return caption.generate({ ...context, settings: set }, index);
    case 'choice':
      return choice.generate({ ...context, settings: set }, index);
    case 'yes-no':
      return yesNo.generate({ ...context, settings: set }, index);
    case 'grid':
      return grid.generate({ ...context, settings: set }, index);
    case 'numbers':
      return numbers.generate({ ...context, settings: set }, index);
    case 'counting':
      return counting.generate({ ...context, settings: set }, index);
    case 'colour':
      return colour.generate({ ...context, settings: set }, index);
    case 'position':
      return position.generate({ ...context, settings: set }, index);
    case 'relation':
      return relation.generate({ ...context, settings: set }, index);
  }
}

function emptyPool(set: SynthSet, what: string): OneVisionError {
  return new OneVisionError(
    'data',
    `Synth set "${set.name}": expected ${what} in the pool ${set.pool}, there are none.`,
    { hint: 'curate a corpus that has this side of the split, or leave the set out' },
  );
}
