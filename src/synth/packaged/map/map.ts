// The set map-mini: which country or state is red, what is its capital, does the blue one touch it.
import { createRandom } from '../../../core/hash.ts';
import { renderScene } from '../scene.ts';
import { type AskedPicture, askInTurn, type PackagedSet, SHORT_ANSWER, YES_OR_NO } from '../set.ts';
import { type Atlas, MAP_PACKAGES, type Place, readStates, readWorld } from './places.ts';
import { boxIn, drawMap, type View, viewOf } from './view.ts';

const NAME = 'map-mini';
const COUNT = 450;
const PER_MAP = 3;
const SIZE = [448, 336] as const;
const [RED, BLUE] = ['#d62728', '#1f5fbf'];
/** A place that is seen less than this many pixels wide and high cannot be told. */
const LEAST_SEEN = 14;

export const mapSet: PackagedSet = {
  name: NAME,
  version: 1,
  count: COUNT,
  packages: MAP_PACKAGES,
  open: () => {
    const atlases = [readWorld(), readStates()];
    return askInTurn(NAME, COUNT, PER_MAP, (index) => makeMap(atlases, index));
  },
};

/** A red place, a blue one that is seen beside it, and whether they touch. */
export interface MapQuestion {
  readonly atlas: Atlas;
  readonly red: Place;
  readonly blue: Place;
  readonly touch: boolean;
  readonly view: View;
}

/** Two of three maps show countries; each place comes once before any comes again. */
export function mapAt(atlases: readonly Atlas[], index: number): MapQuestion {
  const [world, states] = atlases;
  const isWorld = index % 3 !== 2;
  const atlas = isWorld ? world : states;
  const at = isWorld ? index - Math.floor(index / 3) : Math.floor(index / 3);
  if (atlas === undefined) throw new RangeError('expected a map of countries and one of states');
  const places = askable(atlas);
  const order = createRandom(NAME, atlas.kind, Math.floor(at / places.length)).shuffle(places);
  const red = order[at % places.length];
  if (red === undefined) throw new RangeError(`expected a ${atlas.kind} that can be seen`);
  // Some place beside it is seen, so one of the two kinds is found.
  for (let attempt = 0; ; attempt++) {
    const random = createRandom(NAME, atlas.kind, at, attempt);
    const touch = random.next() < 0.5;
    const blue = random.shuffle(seenBeside(atlas, red, touch))[0];
    if (blue !== undefined) return { atlas, red, blue, touch, view: around(atlas, red) };
  }
}

const kept = new WeakMap<Atlas, readonly Place[]>();

/** Places that are seen on their map together with another. */
function askable(atlas: Atlas): readonly Place[] {
  const known = kept.get(atlas);
  if (known !== undefined) return known;
  const found = atlas.places.filter(
    (place) =>
      isSeen(around(atlas, place), place) &&
      [true, false].some((touch) => seenBeside(atlas, place, touch).length > 0),
  );
  kept.set(atlas, found);
  return found;
}

function around({ kind }: Atlas, { region }: Place): View {
  return viewOf(region, SIZE, 2.6, kind === 'country' ? 16 : 5);
}

/** The tables and the drawing agree on whether they touch. */
function seenBeside(atlas: Atlas, red: Place, touch: boolean): Place[] {
  const view = around(atlas, red);
  return atlas.places.filter(
    (one) =>
      one !== red &&
      red.neighbours.includes(one.region.id) === touch &&
      red.region.touches.has(one.region.id) === touch &&
      isSeen(view, one),
  );
}

function isSeen(view: View, { region }: Place): boolean {
  const [left, top, right, bottom] = boxIn(view, region) ?? [0, 0, 0, 0];
  return Math.min(right - left, bottom - top) >= LEAST_SEEN;
}

async function makeMap(atlases: readonly Atlas[], index: number): Promise<AskedPicture> {
  const { atlas, red, blue, touch, view } = mapAt(atlases, index);
  const colours = new Map([
    [red.region.id, RED],
    [blue.region.id, BLUE],
  ]);
  const { kind } = atlas;
  return {
    picture: await renderScene(drawMap(atlas, view, colours)),
    questions: [
      {
        kind: `${kind} name`,
        text: `Which ${kind} is red on this map?\n${SHORT_ANSWER}`,
        answers: red.names,
      },
      {
        kind: `${kind} capital`,
        text: `What is the capital of the ${kind} that is red on this map?\n${SHORT_ANSWER}`,
        answers: red.capitals,
      },
      {
        kind: `${kind} border`,
        text: `Does the red ${kind} have a border with the blue one?\n${YES_OR_NO}`,
        answers: [touch ? 'yes' : 'no'],
      },
    ],
  };
}
