// Writes one shard of a mixture as a task: reads the input shards that its plan names and copies the
// conversations that are taken, whole; counts them by source.
import * as z from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { type ManifestFile, manifestFileSchema } from '../../sample/manifest.ts';
import { type SourceSpec, sourceSpecSchema } from '../../sample/sources/source.ts';
import { changed, readPlan, samplesAt, writeShardNamed } from '../write/planned-shard.ts';
import { type MixtureConfig, mixtureSchema, sourceResolver } from './config.ts';
import {
  addCounts,
  countsOf,
  emptyCounts,
  type MixtureCounts,
  mixtureCountsSchema,
} from './figures.ts';
import { type InputShard, inputShards, openInputs } from './inputs.ts';

/** Config of the task, as JSON. */
export interface TakeSpec {
  readonly inputs: readonly SourceSpec[];
  /** Folder with a plan for each output shard. */
  readonly plan: string;
  readonly output: string;
  readonly config: MixtureConfig;
}

/** What a shard leaves behind. */
export interface TakeResult {
  readonly file: ManifestFile;
  /** By source of the mixture. */
  readonly counts: Readonly<Record<string, MixtureCounts>>;
}

const specSchema: z.ZodType<TakeSpec> = z.strictObject({
  inputs: z.array(sourceSpecSchema),
  plan: z.string(),
  output: z.string(),
  config: mixtureSchema,
});

export const takeResultSchema: z.ZodType<TakeResult> = z.strictObject({
  file: manifestFileSchema,
  counts: z.record(z.string(), mixtureCountsSchema),
});

export const task: ShardTask = {
  open: async (given) => {
    const spec = specSchema.parse(given);
    const shards = inputShards(await openInputs(spec.inputs));
    return { run: (name) => takeShard(name, shards, spec) };
  },
};

async function takeShard(
  name: string,
  shards: readonly InputShard[],
  { plan, output, config }: TakeSpec,
): Promise<TakeResult> {
  const resolve = sourceResolver(config);
  const counts: Record<string, MixtureCounts> = {};
  const file = await writeShardNamed(output, name, async (writer) => {
    for (const { shard, rows } of readPlan(plan, name).pieces) {
      const from = shards[shard];
      let found = 0;
      for await (const sample of from === undefined
        ? []
        : samplesAt(from.input.read(from.shard), rows)) {
        const source = sample === undefined ? undefined : resolve(sample.source);
        if (sample === undefined || source === undefined) break;
        await writer.write(sample);
        counts[source] = addCounts(counts[source] ?? emptyCounts(), countsOf(sample));
        found += 1;
      }
      if (found < rows.length) throw changed(from?.input.spec.path ?? name);
    }
  });
  return { file, counts };
}
