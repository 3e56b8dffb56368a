// Asking as a task of the shared contract: a shard is some rows of one benchmark. Any number of
// processes share the work; a killed one loses the replies on their way and nothing else.
import * as z from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { findBenchmarks } from '../benchmarks/index.ts';
import { type ModelSpec, modelSpecSchema, openModel } from '../models/open-model.ts';
import { drawReferences, type References } from '../references.ts';
import { type Job, openJob } from './job.ts';
import { askShard } from './shard.ts';

export interface AskConfig {
  readonly model: ModelSpec;
  readonly identity: string;
  readonly data: string;
  readonly output: string;
  readonly limit?: number | undefined;
  readonly partial?: boolean | undefined;
  readonly maxNewTokens?: number | undefined;
}

const configSchema: z.ZodType<AskConfig> = z.strictObject({
  model: modelSpecSchema,
  identity: z.string(),
  data: z.string(),
  output: z.string(),
  limit: z.number().optional(),
  partial: z.boolean().optional(),
  maxNewTokens: z.number().optional(),
});

export function shardName(benchmark: string, from: number, to: number): string {
  return `${benchmark}:${from}-${to}`;
}

export const task: ShardTask = {
  open: async (given) => {
    const config = configSchema.parse(given);
    const { model, close } = await opened(config);
    const jobs = new Map<string, { readonly job: Job; readonly references: References }>();
    const jobOf = async (name: string): Promise<{ job: Job; references: References }> => {
      const known = jobs.get(name);
      if (known !== undefined) return known;
      for (const benchmark of findBenchmarks([name])) {
        const job = await openJob(benchmark, config.identity, config);
        const references = await drawReferences(benchmark, config.data);
        jobs.set(name, { job, references });
        return { job, references };
      }
      throw new Error(`no benchmark is called ${name}`);
    };
    return {
      run: async (shard) => {
        const [name = '', range = ''] = shard.split(':');
        const [from = 0, to = 0] = range.split('-').map(Number);
        const { job, references } = await jobOf(name);
        const { benchmark, source, answers } = job;
        const known = new Map(job.known.map((result) => [result.uid, result]));
        const options = { model, benchmark, source, folder: answers, references, known };
        const results = await askShard(
          { from, to },
          { ...options, window: Math.max(1, to - from), onAnswer: () => undefined },
        );
        return { items: results.length };
      },
      close: () => {
        for (const { job } of jobs.values()) job.source[Symbol.dispose]();
        close();
      },
    };
  },
};

async function opened({ model: spec, identity }: AskConfig) {
  const one = await openModel(spec, identity);
  return { model: one.model, close: () => one[Symbol.dispose]() };
}
