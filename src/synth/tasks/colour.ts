// The colour of digits or of the paper, by the name it was drawn with. For measuring; `numbers`
// and `counting` ask it in passing.
import { createRandom } from '../../core/hash.ts';
import { conversation, INK_QUESTION, PAPER_QUESTION } from '../phrases.ts';
import type { Task } from '../task.ts';
import { COUNTING_DEFAULTS, type DrawnPictures, drawPictures } from './counting.ts';
import { type DrawnNumber, drawNumber, NUMBERS_DEFAULTS } from './numbers.ts';

export interface ColourSettings {
  /** Share of questions about digits; the rest is about the paper under pictures. */
  readonly digits: number;
}

export const COLOUR_DEFAULTS: ColourSettings = { digits: 0.5 };

export const colour: Task<ColourSettings> = {
  name: 'colour',
  generate({ seed, set, size, subjects, digits, settings }, index) {
    const random = createRandom('colour', set, seed, index);
    const drawn =
      random.next() < settings.digits
        ? {
            question: INK_QUESTION,
            ...ofDigits(drawNumber(random, size, digits, NUMBERS_DEFAULTS)),
          }
        : {
            question: PAPER_QUESTION,
            ...ofPaper(drawPictures(random, size, subjects.items, COUNTING_DEFAULTS)),
          };
    return {
      image: drawn.image,
      group: `${set}:${index}`,
      messages: conversation([[drawn.question, drawn.answer]]),
      meta: { task: 'colour', answer: drawn.answer, composed: true },
    };
  },
};

const ofDigits = ({ image, ink }: DrawnNumber) => ({ image, answer: ink });
const ofPaper = ({ image, paper }: DrawnPictures) => ({ image, answer: paper });
