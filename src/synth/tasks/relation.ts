// Two pictures side by side or one over the other: where is the one, seen from the other?
import { createRandom } from '../../core/hash.ts';
import { createCanvas, paste, resizeSprite } from '../draw/canvas.ts';
import { pickPaper, shadeOf } from '../draw/palette.ts';
import { conversation, relationQuestion } from '../phrases.ts';
import type { Subject, Task } from '../task.ts';

export interface RelationSettings {
  /** Side of each picture as a share of the canvas. */
  readonly share: number;
}

export const RELATION_DEFAULTS: RelationSettings = { share: 0.4 };

/** Answer, and the step from the other picture to the asked one in canvas coordinates. */
const PLACES = [
  ['left', -1, 0],
  ['right', 1, 0],
  ['above', 0, -1],
  ['below', 0, 1],
] as const;

export const relation: Task<RelationSettings> = {
  name: 'relation',
  generate({ seed, set, size, subjects, settings }, index) {
    const random = createRandom('relation', set, seed, index);
    const asked = subjects.at(index);
    const other = pickOther(asked, subjects.items, () => random.pick(subjects.items));
    const [answer, right, down] = random.pick(PLACES);
    const side = Math.round(size * settings.share);
    const image = createCanvas(size, shadeOf(pickPaper(random), random, 8));
    const slack = size / 2 - side;
    const put = (subject: Subject, sign: 1 | -1): void => {
      // Along the axis of the answer each keeps to its half; across it both stay near the middle.
      const along = sign * (side / 2 + random.next() * slack);
      const across = random.range(-1, 1) * slack * 0.5;
      const dx = right !== 0 ? right * along : across;
      const dy = down !== 0 ? down * along : across;
      const left = Math.round(size / 2 + dx - side / 2);
      const top = Math.round(size / 2 + dy - side / 2);
      paste(image, resizeSprite(subject.sprite, side), left, top);
    };
    put(asked, 1);
    put(other, -1);
    return {
      image,
      group: asked.group,
      messages: conversation([[relationQuestion(asked.label, other.label), answer]]),
      meta: { task: 'relation', answer, composed: true, concepts: asked.concepts },
    };
  },
};

/** Another subject of another group; the first of the list that is, when drawing finds none. */
function pickOther(asked: Subject, pool: readonly Subject[], draw: () => Subject): Subject {
  for (let tries = 0; tries < 50; tries++) {
    const other = draw();
    if (other.group !== asked.group && other.label !== asked.label) return other;
  }
  return pool.find((other) => other.group !== asked.group) ?? asked;
}
