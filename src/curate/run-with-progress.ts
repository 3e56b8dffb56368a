// Runs a piece of work over shards and shows how many are done, whoever does them.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, runShards } from '../cluster/run-shards.ts';
import type { TaskSpec } from '../cluster/task.ts';
import { removeOthers } from '../core/files.ts';
import type { Logger } from '../core/log.ts';
import { createProgress } from '../core/progress.ts';

export interface WorkOptions {
  /** Folder of the work: task, markers, logs. */
  readonly dir: string;
  /** Processes. */
  readonly workers: number;
  /** Where the shards are treated; default: this machine. */
  readonly cluster?: Cluster | undefined;
  readonly log: Logger;
}

const WORK = /^work-[0-9a-f]+$/;

/** Where a stage keeps its work until it has its manifest: named after the hash of its settings. */
export function workFolder(output: string, configHash: string): string {
  return join(output, `work-${configHash}`);
}

/** Removes the work of other settings, and without a hash that of all: the stage is done. */
export function removeWork(output: string, configHash?: string): void {
  removeOthers(output, WORK, new Set([`work-${configHash ?? ''}`]));
}

const EVERY_MS = 1000;

/** `runShards` with a progress line. @throws OneVisionError 'data' when a shard failed. */
export async function runWithProgress(task: TaskSpec, options: WorkOptions): Promise<unknown[]> {
  const done = join(options.dir, 'done');
  using progress = createProgress({
    label: task.name,
    total: task.shards.length,
    unit: 'shards',
  });
  const show = (): void => {
    if (existsSync(done)) progress.update(readdirSync(done).length);
  };
  const timer = setInterval(show, EVERY_MS);
  try {
    return await runShards(task, options);
  } finally {
    clearInterval(timer);
    show();
  }
}
