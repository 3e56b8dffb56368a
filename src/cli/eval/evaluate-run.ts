// Measures the last checkpoint of a run on held-out sets and writes results.json.
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import {
  DEMO_BENCHMARKS,
  evaluate,
  hashCheckpoint,
  localModel,
  readConceptCounts,
  type Summary,
  writeResults,
} from '../../eval/index.ts';
import { loadCheckpoint } from '../../model/checkpoint.ts';
import { dataPaths, type PipelineContext } from '../pipeline.ts';
import { lastCheckpoint } from '../train-run.ts';

/**
 * Scores on the named benchmarks, in their order; finished ones are not asked again.
 * @throws OneVisionError 'usage' for a name that is no benchmark, 'checkpoint' without a model
 */
export async function evaluateRun(
  { dir, recipe, log }: PipelineContext,
  names: readonly string[],
): Promise<Summary[]> {
  const benchmarks = names.map(findBenchmark);
  const checkpoint = await lastCheckpoint(dir);
  const { model, processor } = loadCheckpoint(checkpoint, { device: recipe.device });
  try {
    const { curated, samples } = dataPaths(dir);
    const summaries = await evaluate({
      model: localModel(model, processor, { identity: await hashCheckpoint(checkpoint) }),
      benchmarks,
      data: samples,
      output: join(dir, 'eval'),
      concepts: readConceptCounts(curated),
      log,
    });
    await writeResults(dir, checkpoint, summaries);
    return summaries;
  } finally {
    model[Symbol.dispose]();
  }
}

function findBenchmark(name: string): (typeof DEMO_BENCHMARKS)[number] {
  const found = DEMO_BENCHMARKS.find((benchmark) => benchmark.name === name);
  if (found !== undefined) return found;
  const known = DEMO_BENCHMARKS.map((benchmark) => benchmark.name).join(', ');
  throw new OneVisionError('usage', `No benchmark is called ${name}.`, { hint: `known: ${known}` });
}
