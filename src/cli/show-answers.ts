// What the demo shows of its answers: a contact sheet, and one question asked live.
import { join } from 'node:path';
import { writeFileAtomic } from '../core/files.ts';
import {
  DEMO_BENCHMARKS,
  evaluatedItems,
  type GalleryItem,
  renderGallery,
  type Summary,
} from '../eval/index.ts';
import { decodeImage } from '../image/decode.ts';
import { openChat } from './conversation.ts';
import { canDraw, drawImage } from './draw-image.ts';
import { dataPaths } from './pipeline.ts';
import { lastCheckpoint } from './train-run.ts';

const ITEMS_EACH = 4;

/** The first items of a benchmark with what the model said: nobody chose the pretty ones. */
async function firstItems(dir: string, name: string, count: number): Promise<GalleryItem[]> {
  const benchmark = DEMO_BENCHMARKS.find((candidate) => candidate.name === name);
  if (benchmark === undefined) return [];
  const folders = { data: dataPaths(dir).samples, output: join(dir, 'eval') };
  return evaluatedItems(benchmark, { ...folders, count });
}

/** Draws a sheet with items of every benchmark and what the model said. @returns its path */
export async function saveGallery(dir: string, names: readonly string[]): Promise<string> {
  const tiles: GalleryItem[] = [];
  for (const name of names) tiles.push(...(await firstItems(dir, name, ITEMS_EACH)));
  const path = join(dir, 'answers.png');
  await renderGallery(path, tiles);
  return path;
}

/** Benchmarks whose answers are written freely and hard to guess: the closing one is of the best. */
const SPOKEN = ['counting', 'numbers'];
/** The closing question is the first of so many that was answered rightly. */
const CLOSING_AMONG = 8;

/** Asks one held-out question again, live: one of those it had right, and says so. */
export async function closingQuestion(
  dir: string,
  summaries: readonly Summary[],
): Promise<string[]> {
  const best = summaries
    .filter(({ benchmark }) => SPOKEN.includes(benchmark))
    .sort((a, b) => b.accuracy - a.accuracy)[0];
  const items = best === undefined ? [] : await firstItems(dir, best.benchmark, CLOSING_AMONG);
  const item = items.find(({ isCorrect }) => isCorrect) ?? items[0];
  if (item === undefined) return [];
  using chat = openChat(await lastCheckpoint(dir), {
    images: [item.image],
    generate: { maxNewTokens: 16 },
  });
  const question = item.question.replace('<image>', '').trim();
  const { text: answer } = await chat.ask(question);
  const path = join(dir, 'closing-question.png');
  await writeFileAtomic(path, item.image);
  const picture = canDraw(process.stdout) ? drawImage(await decodeImage(item.image)) : [];
  return [
    'One more, asked live, on a picture it has never seen (one of those it had right):',
    ...picture.map((line) => `  ${line}`),
    `  picture  ${path}`,
    `  asked    ${question}`,
    `  answer   ${answer}`,
    `  truth    ${item.answer}`,
  ];
}
