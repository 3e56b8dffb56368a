// One picture on a canvas: in which corner is it? For measuring; `counting` asks it in passing.
import { createRandom } from '../../core/hash.ts';
import { conversation, PLACE_QUESTION } from '../phrases.ts';
import type { Task } from '../task.ts';
import { COUNTING_DEFAULTS, cornerOf, drawPictures } from './counting.ts';

const ONE = { ...COUNTING_DEFAULTS, max: 1 };

export const position: Task<object> = {
  name: 'position',
  generate({ seed, set, size, subjects }, index) {
    const random = createRandom('position', set, seed, index);
    for (;;) {
      const { image, boxes, shown } = drawPictures(random, size, [subjects.at(index)], ONE);
      const answer = boxes[0] && cornerOf(boxes[0], size);
      if (answer === undefined) continue;
      return {
        image,
        group: shown[0]?.group ?? set,
        messages: conversation([[PLACE_QUESTION, answer]]),
        meta: { task: 'position', answer, composed: true },
      };
    }
  },
};
