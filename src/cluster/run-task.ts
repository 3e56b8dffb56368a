// One rank's share of a piece of work. Every executor ends here: the local one directly or in child
// processes (main.ts), a cluster's in its jobs.
import { OneVisionError } from '../core/errors.ts';
import { readJson } from '../core/files.ts';
import type { Logger } from '../core/log.ts';
import { type Markers, openMarkers } from './markers.ts';
import {
  type ShardTask,
  type ShardWorker,
  shardsOfRank,
  type TaskSpec,
  taskFile,
  taskSpecSchema,
} from './task.ts';

/** Modules of tasks lie in this package, so a work folder cannot name code of its own. */
const PACKAGE = new URL('../../', import.meta.url).href;

export interface RankSummary {
  readonly done: number;
  readonly failed: number;
  /** Shards that it did not come to before it was told to stop. */
  readonly left: number;
}

export interface RankOptions {
  readonly rank: number;
  readonly world: number;
  readonly log: Logger;
  /** Asked before each shard: true ends the work in good order. */
  readonly isStopping?: () => boolean;
}

/**
 * Treats the shards of one rank that have no marker yet. A shard that fails is recorded with its
 * message and does not stop the others.
 *
 * @throws OneVisionError 'data' for a damaged task file or a module that is no task.
 */
export async function runRank(dir: string, options: RankOptions): Promise<RankSummary> {
  const { rank, world, log, isStopping = () => false } = options;
  const spec = readJson(taskFile(dir), taskSpecSchema);
  const markers = openMarkers(dir);
  const left = shardsOfRank(spec.shards, rank, world).filter((shard) => !markers.has(shard));
  const counts = { done: 0, failed: 0 };
  if (left.length === 0) return { ...counts, left: 0 };
  const task = await loadTask(spec);
  const worker = await task.open(spec.config, { rank, world, log });
  try {
    for (const shard of left) {
      if (isStopping()) break;
      counts[(await runShard(worker, markers, shard, rank, log)) ? 'done' : 'failed'] += 1;
    }
  } finally {
    await worker.close?.();
  }
  return { ...counts, left: left.length - counts.done - counts.failed };
}

async function runShard(
  worker: ShardWorker,
  markers: Markers,
  shard: string,
  rank: number,
  log: Logger,
): Promise<boolean> {
  const start = performance.now();
  try {
    const result = await worker.run(shard);
    const seconds = Math.round(performance.now() - start) / 1000;
    await markers.done(shard, result, { rank, seconds });
    log.debug(`${shard} done`, { seconds });
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await markers.failed({ shard, rank, message });
    log.error(`${shard}: ${message}`);
    return false;
  }
}

async function loadTask(spec: TaskSpec): Promise<ShardTask> {
  if (!spec.module.startsWith(PACKAGE)) {
    throw new OneVisionError(
      'data',
      `expected the task ${spec.name} in a module of this package, came ${spec.module}`,
      { hint: 'remove the work folder and run the command again' },
    );
  }
  const module = (await import(spec.module)) as { readonly task?: ShardTask };
  if (typeof module.task?.open === 'function') return module.task;
  throw new OneVisionError('data', `expected ${spec.module} to export a task, came none`);
}
