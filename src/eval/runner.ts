// Runs benchmarks on a model and writes `eval/<benchmark>/{samples.jsonl,summary.json}`.
// Resumable window by window; a finished score of the same identity is not made again.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, readJson, writeFileAtomic } from '../core/files.ts';
import { sha256Hex } from '../core/hash.ts';
import { openJsonl, readJsonlSync } from '../core/jsonl.ts';
import { log as defaultLog, type Logger } from '../core/log.ts';
import { createProgress } from '../core/progress.ts';
import { askItems } from './ask.ts';
import type { Benchmark } from './benchmark.ts';
import type { EvalModel, Prepared } from './eval-model.ts';
import { type EvalItem, readItemManifest, readItems } from './items.ts';
import { type ItemResult, itemResultSchema, type Summary, summarySchema } from './outcome.ts';
import { drawReferences } from './references.ts';
import type { ConceptCounts } from './statistics/bands.ts';
import { summarise } from './statistics/summary.ts';

/** Part of every identity: raise it when a scorer or the asking changes. */
export const SCORER_VERSION = 2;

const WINDOW = 256;

export interface EvaluateOptions<P extends Prepared> {
  readonly model: EvalModel<P>;
  readonly benchmarks: readonly Benchmark[];
  /** Folder that the benchmarks' `data` is under. */
  readonly data: string;
  /** Gets one folder a benchmark; in a run, `runs/<name>/eval`. */
  readonly output: string;
  /** Concept → training samples, for head, middle and tail; see `readConceptCounts`. */
  readonly concepts?: ConceptCounts | undefined;
  /** Ask only the first items of each benchmark. The score says so by its identity. */
  readonly limit?: number | undefined;
  /** Items asked together; a kill loses at most so many. Default 256. */
  readonly window?: number;
  readonly log?: Logger;
}

/**
 * Measures a model on benchmarks, one after the other.
 *
 * @throws OneVisionError `data` when a benchmark's data are missing or not whole
 */
export async function evaluate<P extends Prepared>(
  options: EvaluateOptions<P>,
): Promise<Summary[]> {
  const log = options.log ?? defaultLog;
  const summaries: Summary[] = [];
  for (const benchmark of options.benchmarks) {
    const summary = await evaluateOne(benchmark, options);
    const { accuracy, items } = summary;
    log.info(`eval ${benchmark.name}`, { accuracy: accuracy.toFixed(3), items });
    summaries.push(summary);
  }
  return summaries;
}

async function evaluateOne<P extends Prepared>(
  benchmark: Benchmark,
  options: EvaluateOptions<P>,
): Promise<Summary> {
  const { data, output, limit } = options;
  const manifest = readItemManifest(benchmark, data);
  const digests = manifest.files.map((file) => file.sha256);
  const parts = [SCORER_VERSION, benchmark, digests, options.model.identity, limit ?? 'all'];
  const identity = sha256Hex(JSON.stringify(parts)).slice(0, 16);
  const folder = join(output, benchmark.name);
  const summaryPath = join(folder, 'summary.json');
  const finished = readFinished(summaryPath);
  if (finished?.identity === identity) return finished;
  ensureFolder(folder);
  const partial = join(folder, `partial-${identity}.jsonl`);
  const results = await askAll(benchmark, options, partial);
  const lines = results.map((result) => `${JSON.stringify(result)}\n`).join('');
  await writeFileAtomic(join(folder, 'samples.jsonl'), lines);
  const summary = summarise(benchmark, identity, results, options.concepts);
  await writeFileAtomic(summaryPath, `${JSON.stringify(summary, null, 2)}\n`);
  rmSync(partial, { force: true });
  return summary;
}

/** A finished summary; none when it is missing or not whole, then it is made again. */
function readFinished(path: string): Summary | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readJson(path, summarySchema);
  } catch {
    return undefined;
  }
}

/** Results of all items, in order; those in the partial file are not asked again. */
async function askAll<P extends Prepared>(
  benchmark: Benchmark,
  { model, data, limit, window: size = WINDOW }: EvaluateOptions<P>,
  partial: string,
): Promise<ItemResult[]> {
  const done = new Map<string, ItemResult>();
  for (const row of existsSync(partial) ? readJsonlSync(partial) : []) {
    const result = itemResultSchema.parse(row);
    done.set(result.uid, result);
  }
  const order: string[] = [];
  const references = await drawReferences(benchmark, data);
  let window: EvalItem[] = [];
  const rows = openJsonl(partial);
  const progress = createProgress({ label: `eval ${benchmark.name}`, unit: 'items' });
  const flush = async (): Promise<void> => {
    for (const result of await askItems(model, benchmark, window, references)) {
      rows.append(result);
      done.set(result.uid, result);
    }
    window = [];
    progress.update(done.size);
  };
  try {
    for await (const item of readItems(benchmark, data)) {
      if (order.length === limit) break;
      order.push(item.uid);
      if (!done.has(item.uid)) window.push(item);
      if (window.length >= size) await flush();
    }
    await flush();
  } finally {
    rows.close();
    progress.finish();
  }
  return order.flatMap((uid) => done.get(uid) ?? []);
}
