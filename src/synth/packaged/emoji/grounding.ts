// The set ground-mini: the box of one thing among several, and of one state on a map.
import { createRandom } from '../../../core/hash.ts';
import { COLOURS } from '../../draw/palette.ts';
import { placeApart } from '../../tasks/counting.ts';
import { type Atlas, MAP_PACKAGES, readStates } from '../map/places.ts';
import type { Region } from '../map/topology.ts';
import { boxIn, drawMap, type View, viewOf } from '../map/view.ts';
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
const TINTS = ['#d9d4c7', '#c7d9cc', '#d9c7cf', '#d3d9c0'] as const;
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

/** A part of the map around some state, and two states that lie in it whole. */
async function onMap(states: Atlas, index: number): Promise<AskedPicture> {
  const size = [SIDE, Math.round(SIDE * 0.75)] as const;
  const colours = new Map(
    states.regions.map(({ id }) => [id, createRandom(NAME, 'map', index, id).pick(TINTS)]),
  );
  for (let attempt = 0; ; attempt++) {
    const random = createRandom(NAME, 'map', index, attempt);
    const view = viewOf(random.pick(states.places).region, size, random.range(2, 4), 8);
    const whole = states.places.filter(({ region }) => isWhole(view, region));
    if (whole.length < PER_PICTURE) continue;
    const questions = random
      .shuffle(whole)
      .slice(0, PER_PICTURE)
      .map(({ region, names: [name = ''] }) => {
        const what = `the state ${name} on this map of the USA`;
        return boxQuestion('state', what, boxIn(view, region) ?? [], size);
      });
    return { picture: await renderScene(drawMap(states, view, colours)), questions };
  }
}

/** It is seen from edge to edge, and large enough to be told. */
function isWhole(view: View, region: Region): boolean {
  const [left, top, right, bottom] = boxIn(view, region) ?? [0, 0, 0, 0];
  const isInside = left > 1 && top > 1 && right < view.width - 1 && bottom < view.height - 1;
  return isInside && Math.min(right - left, bottom - top) > 24;
}
