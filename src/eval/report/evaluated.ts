// The first evaluated items of a benchmark with their pictures, for a contact sheet.
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { readJsonl } from '../../core/jsonl.ts';
import type { Benchmark } from '../benchmark.ts';
import { readItems } from '../data/open-items.ts';
import { type ItemResult, itemResultSchema } from '../outcome.ts';
import type { GalleryItem } from './gallery.ts';

/**
 * The first `count` items as they were dealt, right and wrong alike: nothing is picked by hand.
 *
 * @param data the folder that the benchmark's data is under
 * @param output the folder that holds `<benchmark>/samples.jsonl`
 * @throws OneVisionError `data` when the benchmark was not evaluated there
 */
export async function evaluatedItems(
  benchmark: Benchmark,
  { data, output, count }: { data: string; output: string; count: number },
): Promise<GalleryItem[]> {
  const path = join(output, benchmark.name, 'samples.jsonl');
  const results = new Map<string, ItemResult>();
  for await (const row of readJsonl(path)) {
    const parsed = itemResultSchema.safeParse(row);
    if (!parsed.success) throw notEvaluated(path);
    results.set(parsed.data.uid, parsed.data);
    if (results.size === count) break;
  }
  if (results.size === 0) throw notEvaluated(path);
  const items: GalleryItem[] = [];
  for await (const { uid, images, question, answer } of readItems(benchmark, data)) {
    if (items.length === results.size) break;
    const result = results.get(uid);
    const image = images[0]?.bytes;
    if (result === undefined || image === undefined) continue;
    const { prediction, outcome } = result;
    items.push({ image, question, prediction, answer, isCorrect: outcome === 'correct' });
  }
  return items;
}

function notEvaluated(path: string): OneVisionError {
  return new OneVisionError('data', `Expected evaluated items in ${path}, there are none.`, {
    hint: 'evaluate the benchmark first',
  });
}
