// The set count-mini: how many things are there, one to nine, alike or mixed.
import { createRandom } from '../../../core/hash.ts';
import { COLOURS } from '../../draw/palette.ts';
import { COUNT_QUESTION } from '../../phrases.ts';
import { placeApart } from '../../tasks/counting.ts';
import { type AskedPicture, askInTurn, type PackagedSet } from '../set.ts';
import { EMOJI_PACKAGES, pasteAll, readThings, renderSprite, type Thing } from './things.ts';

const NAME = 'count-mini';
const COUNT = 300;
const SIDE = 336;
const MOST = 9;
const PAPERS = ['white', 'pink'] as const;

export const countingSet: PackagedSet = {
  name: NAME,
  version: 3,
  count: COUNT,
  packages: EMOJI_PACKAGES,
  open: () => {
    const things = readThings();
    return askInTurn(NAME, COUNT, 1, (index) => makeCanvas(things, index));
  },
};

async function makeCanvas(things: readonly Thing[], index: number): Promise<AskedPicture> {
  const random = createRandom(NAME, index);
  const count = 1 + random.int(MOST);
  const mixed = random.next() < 0.5;
  const only = random.pick(things);
  const base = 40 + random.int(32);
  const places = placeApart(
    random,
    SIDE,
    Array.from({ length: count }, () => base + random.int(12)),
  );
  const shown = places.map(() => (mixed ? random.pick(things) : only));
  const pasted = await Promise.all(
    places.map(async ({ left, top, side }, place) => {
      const bytes = (await shown[place]?.load()) ?? new Uint8Array();
      return { sprite: await renderSprite(bytes, side), left, top };
    }),
  );
  return {
    picture: await pasteAll(SIDE, COLOURS[random.pick(PAPERS)], pasted),
    questions: [{ kind: 'count', text: COUNT_QUESTION, answers: [String(count)] }],
  };
}
