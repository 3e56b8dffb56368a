// The set flag-mini: whose flag it is, the capital and the part of the world, and which of two
// countries is larger.
import sharp from 'sharp';
import { createRandom } from '../../../core/hash.ts';
import { COUNTRY_PACKAGE, type Country, readCountries } from '../countries.ts';
import { type AskedPicture, askInTurn, type PackagedSet, SHORT_ANSWER } from '../set.ts';
import { distinctFlags, FLAG_PACKAGE, readFlag } from './alike.ts';

const NAME = 'flag-mini';
const COUNT = 500;
/** Three questions on the left flag and one on both. */
const PER_PICTURE = 4;
const [WIDTH, HEIGHT, MARGIN] = [200, 150, 12];
/** A larger country is so many times as large. */
const CLEARLY_LARGER = 1.25;

export const flagSet: PackagedSet = {
  name: NAME,
  version: 1,
  count: COUNT,
  packages: [COUNTRY_PACKAGE, FLAG_PACKAGE],
  open: () => {
    const countries = distinctCountries();
    return askInTurn(NAME, COUNT, PER_PICTURE, async (index) => makePair(await countries, index));
  },
};

/** Those whose flag is like no other country's. */
export async function distinctCountries(): Promise<readonly Country[]> {
  const all = readCountries();
  const codes = new Set(await distinctFlags(all.map(({ code }) => code)));
  return all.filter(({ code }) => codes.has(code));
}

/** Two countries, of which one is clearly larger. */
export function pairAt(countries: readonly Country[], index: number): readonly [Country, Country] {
  const round = Math.floor(index / countries.length);
  const order = createRandom(NAME, 'order', round).shuffle(countries);
  const left = order[index % countries.length];
  const others = createRandom(NAME, 'other', index).shuffle(countries);
  const right = others.find(
    ({ area }) =>
      left !== undefined &&
      Math.max(area, left.area) / Math.max(1, Math.min(area, left.area)) > CLEARLY_LARGER,
  );
  if (left === undefined || right === undefined) {
    throw new RangeError('expected two countries, one larger than the other');
  }
  return [left, right];
}

async function makePair(countries: readonly Country[], index: number): Promise<AskedPicture> {
  const [left, right] = pairAt(countries, index);
  const larger = left.area > right.area ? 'left' : 'right';
  const about = 'the country with the left flag';
  return {
    picture: await drawPair(left.code, right.code),
    questions: [
      {
        kind: 'name',
        text: `Which country has the left flag?\n${SHORT_ANSWER}`,
        answers: left.names,
      },
      {
        kind: 'capital',
        text: `What is the capital of ${about}?\n${SHORT_ANSWER}`,
        answers: left.capitals,
      },
      {
        kind: 'region',
        text: `Where is ${about}: Africa, Americas, Asia, Europe or Oceania?\n${SHORT_ANSWER}`,
        answers: [left.region],
      },
      {
        kind: 'larger',
        text: 'Which of the two flags belongs to the larger country?\nAnswer with left or right.',
        answers: [larger],
      },
    ],
  };
}

async function drawPair(left: string, right: string): Promise<Uint8Array> {
  const size = { width: WIDTH, height: HEIGHT, fit: 'fill' } as const;
  const drawn = await Promise.all(
    [left, right].map(async (code) =>
      sharp(await readFlag(code))
        .resize(size)
        .png()
        .toBuffer(),
    ),
  );
  const background = '#e4e4e4';
  const [width, height] = [2 * WIDTH + 3 * MARGIN, HEIGHT + 2 * MARGIN];
  const overlays = drawn.map((input, place) => {
    return { input, left: MARGIN + place * (WIDTH + MARGIN), top: MARGIN };
  });
  return await sharp({ create: { width, height, channels: 3, background } })
    .composite(overlays)
    .removeAlpha()
    .png({ compressionLevel: 6 })
    .toBuffer();
}
