// What the demo shows of its answers: a contact sheet, and one question asked live.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashUint32 } from '../core/hash.ts';
import { readJsonlSync } from '../core/jsonl.ts';
import {
  DEMO_BENCHMARKS,
  type EvalItem,
  type GalleryItem,
  readItems,
  renderGallery,
  type Summary,
} from '../eval/index.ts';
import { type ItemResult, itemResultSchema } from '../eval/outcome.ts';
import { decodeImage } from '../image/decode.ts';
import { openChat } from './conversation.ts';
import { canDraw, drawImage } from './draw-image.ts';
import { dataPaths } from './pipeline.ts';
import { lastCheckpoint } from './train-run.ts';

const ITEMS_EACH = 4;

/** What the model said, by uid of the item. */
function readResults(folder: string): Map<string, ItemResult> {
  const rows = [...readJsonlSync(join(folder, 'samples.jsonl'))];
  return new Map(rows.map((row) => itemResultSchema.parse(row)).map((row) => [row.uid, row]));
}

/** Items drawn by a hash of their uid, so that nobody chose the pretty ones. */
async function drawItems(dir: string, name: string, count: number): Promise<EvalItem[]> {
  const benchmark = DEMO_BENCHMARKS.find((candidate) => candidate.name === name);
  if (benchmark === undefined) return [];
  const drawn: { key: number; item: EvalItem }[] = [];
  for await (const item of readItems(benchmark, dataPaths(dir).samples)) {
    drawn.push({ key: hashUint32('gallery', item.uid), item });
    drawn.sort((a, b) => a.key - b.key).splice(count);
  }
  return drawn.map(({ item }) => item);
}

/** Draws a sheet with items of every benchmark and what the model said. @returns its path */
export async function saveGallery(dir: string, names: readonly string[]): Promise<string> {
  const tiles: GalleryItem[] = [];
  for (const name of names) {
    const results = readResults(join(dir, 'eval', name));
    for (const item of await drawItems(dir, name, ITEMS_EACH)) {
      const result = results.get(item.uid);
      const [image] = item.images;
      if (result === undefined || image === undefined) continue;
      const { prediction, outcome } = result;
      const { question, answer } = item;
      const isCorrect = outcome === 'correct';
      tiles.push({ image: image.bytes, question, prediction, answer, isCorrect });
    }
  }
  const path = join(dir, 'answers.png');
  await renderGallery(path, tiles);
  return path;
}

/** Benchmarks whose answers are written freely: the closing question comes from the best one. */
const SPOKEN = ['counting', 'numbers', 'colour', 'position'];

/** Asks one held-out question live, and says how it went. */
export async function closingQuestion(
  dir: string,
  summaries: readonly Summary[],
): Promise<string[]> {
  const best = summaries
    .filter(({ benchmark }) => SPOKEN.includes(benchmark))
    .sort((a, b) => b.accuracy - a.accuracy)[0];
  const [item] = best === undefined ? [] : await drawItems(dir, best.benchmark, 1);
  const [image] = item?.images ?? [];
  if (item === undefined || image === undefined) return [];
  using chat = openChat(await lastCheckpoint(dir), [image.bytes], 16);
  const question = item.question.replace('<image>', '').trim();
  const answer = await chat.ask(question);
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'closing-question.png');
  writeFileSync(path, image.bytes);
  const picture = canDraw(process.stdout) ? drawImage(await decodeImage(image.bytes)) : [];
  return [
    'One more, on a picture it has never seen:',
    ...picture.map((line) => `  ${line}`),
    `  picture  ${path}`,
    `  asked    ${question}`,
    `  answer   ${answer}`,
    `  truth    ${item.answer}`,
  ];
}
