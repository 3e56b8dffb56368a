// "Is this X?" with X the name of the picture, or of another one. One turn, for measuring.
import { createRandom } from '../../core/hash.ts';
import { conversation } from '../phrases.ts';
import type { Task } from '../task.ts';
import { yesNoTurn } from './caption.ts';

export interface YesNoSettings {
  /** Chance that the answer is yes. */
  readonly yes: number;
}

export const YES_NO_DEFAULTS: YesNoSettings = { yes: 0.5 };

export const yesNo: Task<YesNoSettings> = {
  name: 'yes-no',
  generate({ seed, set, subjects, settings }, index) {
    const random = createRandom('yes-no', set, seed, index);
    const subject = subjects.at(index);
    const turn = yesNoTurn(random, subject, subjects.items, settings.yes);
    return {
      image: subject.picture,
      group: subject.group,
      messages: conversation([turn]),
      meta: {
        task: 'yes-no',
        answer: turn[1],
        concepts: subject.concepts,
        noFlip: subject.noFlip,
      },
    };
  },
};
