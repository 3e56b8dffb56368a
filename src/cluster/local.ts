// Runs a piece of work on this machine: in this process, or in child processes with a log each.
import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, sweepTemporary, writeFileAtomic } from '../core/files.ts';
import type { Logger } from '../core/log.ts';
import { openMarkers } from './markers.ts';
import { runRank } from './run-task.ts';
import { type TaskSpec, taskFile } from './task.ts';

export interface RunOptions {
  /** Folder of this piece of work: task file, markers, logs. Name it after the config's hash. */
  readonly dir: string;
  /** Processes; 1 works in this one. The results do not depend on it. Default 1. */
  readonly workers?: number;
  readonly log: Logger;
}

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
/** A process that dies (memory, a signal) is started again this often. */
const NUM_RESTARTS = 1;

/**
 * Treats every shard once and returns the results in the order of the shards. Shards that an
 * earlier run finished are not treated again, however many processes it had.
 *
 * @throws OneVisionError 'data' naming the first shard that failed, after all others were tried.
 */
export async function runShards(spec: TaskSpec, options: RunOptions): Promise<unknown[]> {
  const { dir, log } = options;
  const world = Math.max(1, Math.min(options.workers ?? 1, spec.shards.length));
  ensureFolder(dir);
  await writeFileAtomic(taskFile(dir), JSON.stringify(spec));
  const markers = openMarkers(dir);
  sweepTemporary(join(dir, 'done'));
  const ranks = Array.from({ length: world }, (_, rank) => rank);
  if (world === 1) await runRank(dir, { rank: 0, world, log });
  else await Promise.all(ranks.map((rank) => runChild(dir, rank, world, log)));
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
    { hint: `run the same command again to try these alone; logs are in ${join(dir, 'logs')}` },
  );
}

async function runChild(dir: string, rank: number, world: number, log: Logger): Promise<void> {
  for (let attempt = 0; attempt <= NUM_RESTARTS; attempt += 1) {
    const ended = await childEnd(dir, rank, world);
    if (ended.signal === null) return;
    log.warn(`process ${rank} of ${world} was ended by ${ended.signal}`, { attempt });
  }
}

function childEnd(
  dir: string,
  rank: number,
  world: number,
): Promise<{ readonly signal: NodeJS.Signals | null }> {
  ensureFolder(join(dir, 'logs'));
  const out = openSync(join(dir, 'logs', `rank-${String(rank).padStart(4, '0')}.log`), 'a');
  const child = fork(MAIN, [dir, String(rank), String(world)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', out, out, 'ipc'],
  });
  closeSync(out);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (_code, signal) => resolve({ signal }));
  });
}
