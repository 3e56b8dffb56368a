// Reads the items of a benchmark from its sample folder: question, answer, options, pictures.
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import { readConceptTable } from '../sample/concept-table.ts';
import { type Manifest, readManifest } from '../sample/manifest.ts';
import type { Message, Sample, SampleImage } from '../sample/sample.ts';
import { readSamples } from '../sample/webdataset.ts';
import type { Benchmark } from './benchmark.ts';
import type { ConceptCounts } from './statistics/bands.ts';

/** One question with its answer. */
export interface EvalItem {
  readonly uid: string;
  readonly group: string;
  /** The first concept that curation matched in its label. */
  readonly concept: string | undefined;
  /** The conversation before the question that is measured. */
  readonly context: readonly Message[];
  readonly images: readonly SampleImage[];
  /** The question as the data have it, `<image>` included. */
  readonly question: string;
  readonly answer: string;
  readonly options: readonly string[] | undefined;
}

const metaSchema = z.looseObject({
  answer: z.string(),
  options: z.array(z.string()).min(2).optional(),
  concepts: z.array(z.string()).optional(),
});

/**
 * The manifest of a benchmark's data, checked against its denominator.
 * @throws OneVisionError `data` when the folder is missing or holds another number of items
 */
export function readItemManifest(benchmark: Benchmark, dataRoot: string): Manifest {
  const folder = join(dataRoot, benchmark.data);
  const manifest = readManifest(folder);
  const found = manifest.files.reduce((sum, file) => sum + file.count, 0);
  const expected = benchmark.denominator === 'manifest' ? found : benchmark.denominator;
  if (found === expected && found > 0) return manifest;
  throw new OneVisionError(
    'data',
    `Benchmark ${benchmark.name}: expected ${Math.max(1, expected)} items in ${folder}, ` +
      `its manifest counts ${found}.`,
    { hint: 'make or fetch the data set again, whole' },
  );
}

/**
 * The items in the order of their shards. The last two messages of a sample are the question and
 * its answer.
 *
 * @throws OneVisionError `data` for a shard or an item that is not as it should be: an item left
 * out in silence would change the denominator
 */
export async function* readItems(
  benchmark: Benchmark,
  dataRoot: string,
): AsyncGenerator<EvalItem, void, undefined> {
  for await (const sample of readSamples(join(dataRoot, benchmark.data))) {
    yield toItem(sample, benchmark);
  }
}

/**
 * How many clean training samples carry each concept: the counts of a curated folder after filters
 * and deduplication, before balancing, so that models trained with and without it compare.
 * @throws OneVisionError `data` when the folder has no concept table
 */
export function readConceptCounts(curated: string): ConceptCounts {
  return new Map([...readConceptTable(curated)].map(([concept, count]) => [concept, count.clean]));
}

function toItem(sample: Sample, benchmark: Benchmark): EvalItem {
  const asked = sample.messages.at(-2);
  const meta = metaSchema.safeParse(sample.meta);
  const isAsked = asked?.role === 'user' && sample.messages.at(-1)?.role === 'assistant';
  if (!isAsked || !meta.success) throw badItem(benchmark, sample.uid, 'a question and its answer');
  const { answer, options, concepts } = meta.data;
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
  };
}

function badItem(benchmark: Benchmark, uid: string, expected: string): OneVisionError {
  return new OneVisionError(
    'data',
    `Benchmark ${benchmark.name}: expected ${expected} in item ${uid}, they are not there.`,
    { hint: 'an item needs messages that end with user and assistant, and meta.answer' },
  );
}
