// The set ground-mini: the box of one thing among several, and of one state on a map.
import { createRandom } from '../../../core/hash.ts';
import { COLOURS } from '../../draw/palette.ts';
import { placeApart } from '../../tasks/counting.ts';
import { type Atlas, MAP_PACKAGES, readStates } from '../map/places.ts';
import { boxIn, drawMap, viewOfRing } from '../map/view.ts';
import { renderScene } from '../scene.ts';
import { type AskedPicture, askInTurn, type PackagedSet, type Question } from '../set.ts';
import {
  EMOJI_PACKAGES,
  inkBox,
  pasteAll,
  readThings,
  renderSprite,
  type Thing,
} from './things.ts';

const NAME = 'ground-mini';
const COUNT = 500;
const PER_PICTURE = 2;
const SIDE = 448;
/** Every fifth picture is a map. */
const MAP_EVERY = 5;
const PAPERS = ['white', 'pink'] as const;

export const groundingSet: PackagedSet = {
  name: NAME,
  version: 1,
  count: COUNT,
  packages: [...EMOJI_PACKAGES, ...MAP_PACKAGES],
  open: () => {
    const things = readThings();
    const states = readStates();
    return askInTurn(NAME, COUNT, PER_PICTURE, (index) =>
      index % MAP_EVERY === MAP_EVERY - 1 ? onMap(states, index) : amongThings(things, index),
    );
  },
};

/** In thousandths of the picture's sides. */
function boxQuestion(
  kind: string,
  what: string,
  box: readonly number[],
  [width, height]: readonly [number, number],
): Question {
  const [left = 0, top = 0, right = 0, bottom = 0] = box;
  const parts = [left / width, top / height, right / width, bottom / height];
  return {
    kind,
    text:
      `Where is ${what}? Answer with its box [left, top, right, bottom] in thousandths of the ` +
      "picture's width and height.",
    answers: [`[${parts.map((part) => Math.round(part * 1000)).join(', ')}]`],
  };
}

async function amongThings(things: readonly Thing[], index: number): Promise<AskedPicture> {
  const random = createRandom(NAME, 'things', index);
  const count = 3 + random.int(4);
  const shown: Thing[] = [];
  for (const thing of random.shuffle(things)) {
    if (shown.length === count) break;
    if (shown.every(({ kind }) => kind !== thing.kind)) shown.push(thing);
  }
  const sides = shown.map(() => 72 + random.int(72));
  const places = placeApart(random, SIDE, sides);
  const pasted = await Promise.all(
    places.map(async ({ left, top, side }, place) => {
      const bytes = (await shown[place]?.load()) ?? new Uint8Array();
      return { sprite: await renderSprite(bytes, side), left, top };
    }),
  );
  const paper = COLOURS[random.pick(PAPERS)];
  const questions = pasted.slice(0, PER_PICTURE).map(({ sprite, left, top }, place) => {
    const [x1, y1, x2, y2] = inkBox(sprite);
    const box = [left + x1, top + y1, left + x2, top + y2];
    return boxQuestion('thing', `the ${shown[place]?.label}`, box, [SIDE, SIDE]);
  });
  return { picture: await pasteAll(SIDE, paper, pasted), questions };
}

async function onMap(states: Atlas, index: number): Promise<AskedPicture> {
  const random = createRandom(NAME, 'map', index);
  const size = [SIDE, Math.round(SIDE * 0.66)] as const;
  const view = viewOfRing(
    states.regions.flatMap(({ rings }) => rings.flat()),
    size,
    1.04,
    1,
  );
  const questions = random
    .shuffle(states.places)
    .slice(0, PER_PICTURE)
    .map(({ region, names: [name = ''] }) =>
      boxQuestion(
        'state',
        `the state ${name} on this map of the USA`,
        boxIn(view, region) ?? [],
        size,
      ),
    );
  return { picture: await renderScene(drawMap(states, view, new Map())), questions };
}
