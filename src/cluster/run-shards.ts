// Runs a piece of work over shards, here or on a cluster, and gathers the results. What is done and
// what failed is read from the markers alone.
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, sweepTemporary, writeFileAtomic } from '../core/files.ts';
import type { Logger } from '../core/log.ts';
import { runLocally } from './local.ts';
import { type Markers, openMarkers } from './markers.ts';
import { logFolder, type TaskSpec, taskFile } from './task.ts';

/** Where shards are treated in place of this machine. */
export interface Cluster {
  /**
   * Returns when no process of this work is left: every shard has a marker of its end or its
   * failure, or its processes died too often. Shards with a marker are not treated again.
   */
  run(work: ClusterWork): Promise<void>;
}

/** A piece of work whose task file is written. */
export interface ClusterWork {
  readonly spec: TaskSpec;
  readonly dir: string;
  readonly markers: Markers;
  readonly log: Logger;
}

export interface RunOptions {
  /** Folder of this piece of work: task file, markers, logs. Name it after the config's hash. */
  readonly dir: string;
  /** Processes; 1 works in this one. The results do not depend on it. Default 1. */
  readonly workers?: number;
  /** Default: this machine. */
  readonly cluster?: Cluster | undefined;
  readonly log: Logger;
}

/**
 * Treats every shard once and returns the results in the order of the shards. Shards that an
 * earlier run finished are not treated again, whatever it ran on.
 *
 * @throws OneVisionError 'data' naming the first shard that failed, after all others were tried.
 */
export async function runShards(spec: TaskSpec, options: RunOptions): Promise<unknown[]> {
  const { dir, cluster, log } = options;
  ensureFolder(dir);
  await writeFileAtomic(taskFile(dir), JSON.stringify(spec));
  const markers = openMarkers(dir);
  sweepTemporary(join(dir, 'done'));
  const world = Math.max(1, Math.min(options.workers ?? 1, spec.shards.length));
  if (spec.shards.some((shard) => !markers.has(shard))) {
    if (cluster !== undefined) await cluster.run({ spec, dir, markers, log });
    else {
      markers.forgetFailures();
      await runLocally(dir, world, log);
    }
  }
  const missing = spec.shards.filter((shard) => !markers.has(shard));
  if (missing.length > 0) throw failure(spec, dir, missing);
  return spec.shards.map((shard) => markers.result(shard));
}

function failure(spec: TaskSpec, dir: string, missing: readonly string[]): OneVisionError {
  const known = openMarkers(dir).failures();
  const first = known.find(({ shard }) => missing.includes(shard));
  const reason = first === undefined ? 'its process died' : first.message;
  return new OneVisionError(
    'data',
    `${spec.name}: expected ${spec.shards.length} shards treated, ${missing.length} failed; ` +
      `first ${first?.shard ?? missing[0]}: ${reason}`,
    { hint: `run the same command again to try these alone; logs are in ${logFolder(dir)}` },
  );
}
