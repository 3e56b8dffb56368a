// Asks in several processes before the scores are made: fills the shards that `evaluate` then finds.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, runShards } from '../../cluster/run-shards.ts';
import { sha256Hex } from '../../core/hash.ts';
import type { Logger } from '../../core/log.ts';
import type { Benchmark } from '../benchmark.ts';
import { type AskConfig, shardName } from './ask-task.ts';
import { openJob } from './job.ts';
import { shardsOf } from './shard.ts';

export interface ParallelOptions {
  readonly benchmarks: readonly Benchmark[];
  readonly workers: number;
  /** Default: this machine. */
  readonly cluster?: Cluster | undefined;
  /** Rows of a shard. */
  readonly window: number;
  readonly log: Logger;
}

/** Every answer that is not there yet. The shards are the same for any number of processes. */
export async function askInParallel(
  config: AskConfig,
  { benchmarks, workers, cluster, window, log }: ParallelOptions,
): Promise<void> {
  const shards: string[] = [];
  for (const benchmark of benchmarks) {
    const job = await openJob(benchmark, config.identity, config);
    using _ = job.source;
    if (job.finished !== undefined) continue;
    const keys = shardsOf(job.numRows, window);
    shards.push(...keys.map(({ from, to }) => shardName(benchmark.name, from, to)));
  }
  if (shards.length === 0) return;
  const { href: module } = new URL('./ask-task.ts', import.meta.url);
  const work = sha256Hex(JSON.stringify([config, shards])).slice(0, 12);
  const dir = join(config.output, `work-${work}`);
  const spec = { name: 'eval', module, config, shards };
  await runShards(spec, { dir, workers, cluster, log });
  // The answers lie with their benchmarks now; markers would only hide what is asked for anew.
  rmSync(dir, { recursive: true, force: true });
}
