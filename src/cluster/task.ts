// The contract of a piece of work that runs anywhere: what is done to one shard, and the file that
// says which shards there are. Knows no executor.
import { join } from 'node:path';
import * as z from 'zod';
import type { Logger } from '../core/log.ts';

/** What a task may know of where it runs. Results must not depend on it. */
export interface TaskContext {
  /** This process among those that share the work, from 0. */
  readonly rank: number;
  readonly world: number;
  readonly log: Logger;
}

/** Treats shards one after the other. */
export interface ShardWorker {
  /**
   * Treats one shard: writes its output atomically under a name that depends on the shard alone,
   * and returns what the caller needs of it, as JSON. May be called again for a shard whose
   * process died before its marker was written: it then writes the same bytes.
   */
  run(shard: string): Promise<unknown>;
  close?(): Promise<void> | void;
}

/**
 * One kind of work. A module exports it under the name `task`; `config` is JSON, checked by the
 * task itself.
 */
export interface ShardTask {
  open(config: unknown, context: TaskContext): Promise<ShardWorker> | ShardWorker;
}

/** A piece of work as a file: any executor on any machine that sees the folder can run it. */
export interface TaskSpec {
  readonly name: string;
  /** Address of the module that exports the task; a file of this package. */
  readonly module: string;
  readonly config: unknown;
  /** Names of the shards, without repetition. Their order is the order of the results. */
  readonly shards: readonly string[];
}

export const taskSpecSchema: z.ZodType<TaskSpec> = z.strictObject({
  name: z.string().min(1),
  module: z.string().startsWith('file:'),
  config: z.unknown(),
  shards: z.array(z.string()),
});

/** Name of the file, in the folder of a piece of work, that holds its `TaskSpec`. */
export const TASK_FILE = 'task.json';

export function taskFile(dir: string): string {
  return join(dir, TASK_FILE);
}

export function logFolder(dir: string): string {
  return join(dir, 'logs');
}

/** What the processes of a rank print, one after the other. */
export function logFile(dir: string, rank: number): string {
  return join(logFolder(dir), `rank-${String(rank).padStart(4, '0')}.log`);
}

/** The shards of one rank: every world-th, so that neighbours of like size spread. */
export function shardsOfRank(shards: readonly string[], rank: number, world: number): string[] {
  return shards.filter((_, index) => index % world === rank);
}
