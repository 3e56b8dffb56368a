// Items from a folder of samples with a manifest: the last two messages of a sample are the question
// and its answer.
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { sha256Hex } from '../../core/hash.ts';
import { type Manifest, readManifest } from '../../sample/manifest.ts';
import type { Sample } from '../../sample/sample.ts';
import { readSamples } from '../../sample/webdataset.ts';
import type { Benchmark } from '../benchmark.ts';
import type { EvalItem, ItemSource, OpenItemsOptions } from '../items.ts';

const metaSchema = z.looseObject({
  answer: z.string(),
  /** All that are accepted, where there are several. */
  answers: z.array(z.string()).min(1).optional(),
  /** What scoring and tables of results go by. */
  columns: z.record(z.string(), z.string()).optional(),
  options: z.array(z.string()).min(2).optional(),
  concepts: z.array(z.string()).optional(),
});

/**
 * Opens the folder, its manifest checked against the benchmark's denominator.
 * @throws OneVisionError `data` when the folder is missing or holds another number of items
 */
export function openSampleItems(
  benchmark: Benchmark,
  dataRoot: string,
  name: string,
  { partial = false }: OpenItemsOptions,
): ItemSource {
  const folder = join(dataRoot, name);
  const manifest = readManifest(folder);
  const numRows = countItems(benchmark, folder, manifest, partial);
  return {
    dataHash: sha256Hex(JSON.stringify(manifest.files.map((file) => file.sha256))),
    numRows,
    warnings: [],
    async *read(from, to) {
      let row = 0;
      for await (const sample of readSamples(folder)) {
        if (row >= to) return;
        if (row >= from) yield toItem(sample, benchmark);
        row += 1;
      }
    },
    [Symbol.dispose]: () => undefined,
  };
}

function countItems(
  { name, denominator = 'manifest' }: Benchmark,
  folder: string,
  manifest: Manifest,
  partial: boolean,
): number {
  const found = manifest.files.reduce((sum, file) => sum + file.count, 0);
  const expected = denominator === 'manifest' || partial ? found : denominator;
  if (found === expected && found > 0) return found;
  throw new OneVisionError(
    'data',
    `Benchmark ${name}: expected ${Math.max(1, expected)} items in ${folder}, ` +
      `its manifest counts ${found}.`,
    { hint: 'make or fetch the data set again, whole' },
  );
}

function toItem(sample: Sample, benchmark: Benchmark): EvalItem {
  const asked = sample.messages.at(-2);
  const meta = metaSchema.safeParse(sample.meta);
  const isAsked = asked?.role === 'user' && sample.messages.at(-1)?.role === 'assistant';
  if (!isAsked || !meta.success) throw badItem(benchmark, sample.uid, 'a question and its answer');
  const { answer, answers = [answer], options, concepts, columns } = meta.data;
  if (benchmark.scorer.kind === 'choice' && options?.includes(answer) !== true) {
    throw badItem(benchmark, sample.uid, 'options with the answer among them');
  }
  return {
    uid: sample.uid,
    group: sample.group,
    concept: concepts?.[0],
    context: sample.messages.slice(0, -2),
    images: sample.images,
    question: asked.content,
    answer,
    options,
    ...(benchmark.scorer.kind === 'reply'
      ? { scored: { uid: sample.uid, answers, options, question: asked.content, columns } }
      : {}),
  };
}

function badItem(benchmark: Benchmark, uid: string, expected: string): OneVisionError {
  return new OneVisionError(
    'data',
    `Benchmark ${benchmark.name}: expected ${expected} in item ${uid}, they are not there.`,
    { hint: 'an item needs messages that end with user and assistant, and meta.answer' },
  );
}
