// The set caption-mini: one thing on white, to be named as its label does.
import { createRandom } from '../../../core/hash.ts';
import { NAME_QUESTION } from '../../phrases.ts';
import type { PackagedSet } from '../set.ts';
import { EMOJI_PACKAGES, pasteAll, readThings, renderSprite } from './things.ts';

const NAME = 'caption-mini';
const COUNT = 300;
const [SIDE, MARGIN] = [224, 12];

export const captioningSet: PackagedSet = {
  name: NAME,
  version: 2,
  count: COUNT,
  packages: EMOJI_PACKAGES,
  open: () => {
    const things = createRandom(NAME).shuffle(readThings());
    return {
      count: COUNT,
      draft: async (index) => {
        const thing = things[index % things.length];
        if (thing === undefined) throw new RangeError('expected things to show');
        const sprite = await renderSprite(await thing.load(), SIDE - 2 * MARGIN);
        const pasted = [{ sprite, left: MARGIN, top: MARGIN }];
        const { label, group } = thing;
        return {
          image: { name: 'img0.png', bytes: await pasteAll(SIDE, [255, 255, 255], pasted) },
          group,
          messages: [
            { role: 'user', content: `<image>${NAME_QUESTION}` },
            { role: 'assistant', content: label },
          ],
          meta: { task: NAME, answer: label },
        };
      },
    };
  },
};
