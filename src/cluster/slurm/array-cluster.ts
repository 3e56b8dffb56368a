// Shards as a Slurm array job. This process only submits and watches: stopped, it finds its job again
// by name; tasks that ended without finishing are submitted again alone.
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureFolder, writeFileAtomic } from '../../core/files.ts';
import { sha256Hex } from '../../core/hash.ts';
import type { Logger } from '../../core/log.ts';
import type { Cluster, ClusterWork } from '../run-shards.ts';
import { logFolder, shardsOfRank } from '../task.ts';
import type { SlurmConfig } from './config.ts';
import { DryRun } from './dry-run.ts';
import { queuedJobs, submit } from './queue.ts';
import { batchScript } from './script.ts';

export interface ArrayOptions {
  readonly config: SlurmConfig;
  /** Print the first script in place of submitting it. */
  readonly dryRun?: boolean;
}

/** All our jobs begin with it. */
export const JOB_PREFIX = 'onevision-';
export const ARRAY_SCRIPT = 'array.sh';
/** Number of the job and length of the array, as they were submitted last. */
export const ARRAY_FILE = 'array.json';
const TASK_MAIN = fileURLToPath(new URL('./array-main.ts', import.meta.url));
/** Tasks that die (memory, a signal, their node) are submitted again, so often without any progress. */
const NUM_RESTARTS = 2;
const POLL_MS = { first: 250, last: 10_000 };

/** An executor of pieces of work. @throws DryRun with the script when that was asked for. */
export function arrayCluster({ config, dryRun = false }: ArrayOptions): Cluster {
  return {
    run: async (work) => {
      const { spec, dir, markers, log } = work;
      const name = jobName(spec.name, dir);
      const world = Math.max(1, Math.min(config.tasks, spec.shards.length));
      if (dryRun) throw new DryRun(arrayScript(work, name, config, world));
      ensureFolder(logFolder(dir));
      const isRunning = (await queuedJobs(log, name)).length > 0;
      if (isRunning) log.info(`${spec.name}: its job ${name} is in the queue; waiting for it`);
      else markers.forgetFailures();
      if (isRunning) await ended(work, name, log);
      let left = markers.untreated(spec.shards).length;
      for (let attempt = 0; left > 0 && attempt <= NUM_RESTARTS; attempt += 1) {
        await submitRanks(work, name, config, { world, attempt });
        await ended(work, name, log);
        const after = markers.untreated(spec.shards).length;
        if (after < left) attempt = 0;
        left = after;
      }
    },
  };
}

/** Ranks with shards that nobody treated, by the markers. */
function ranksLeft({ spec, markers }: ClusterWork, world: number): number[] {
  const left = new Set(markers.untreated(spec.shards));
  return Array.from({ length: world }, (_, rank) => rank).filter((rank) =>
    shardsOfRank(spec.shards, rank, world).some((shard) => left.has(shard)),
  );
}

interface Submission {
  readonly world: number;
  readonly attempt: number;
}

async function submitRanks(
  work: ClusterWork,
  name: string,
  config: SlurmConfig,
  { world, attempt }: Submission,
): Promise<void> {
  const { spec, dir, log } = work;
  const ranks = ranksLeft(work, world);
  const path = join(dir, ARRAY_SCRIPT);
  await writeFileAtomic(path, arrayScript(work, name, config, world, ranks));
  const id = await submit(path, name, log);
  await writeFileAtomic(join(dir, ARRAY_FILE), JSON.stringify({ id, world }));
  if (attempt > 0) log.warn(`${spec.name}: tasks ended early, again alone: ${ranks.join(', ')}`);
  log.info(`${spec.name}: Slurm job ${id}, ${ranks.length} tasks; logs in ${logFolder(dir)}`);
}

/** Waits until no task is in the queue, or every shard has its marker. */
async function ended({ spec, markers }: ClusterWork, name: string, log: Logger): Promise<void> {
  let told = '';
  for (let waitMs = POLL_MS.first; ; waitMs = Math.min(waitMs * 1.3, POLL_MS.last)) {
    await sleep(waitMs);
    if (markers.untreated(spec.shards).length === 0) return;
    const jobs = await queuedJobs(log, name);
    if (jobs.length === 0) return;
    const held = jobs.find(({ reason }) => /held|never|limit/i.test(reason));
    if (held !== undefined && held.reason !== told) {
      told = held.reason;
      log.warn(`${spec.name}: job ${held.id} waits: ${held.reason}`);
    }
  }
}

function arrayScript(
  { dir }: ClusterWork,
  name: string,
  config: SlurmConfig,
  world: number,
  ranks: readonly number[] = Array.from({ length: world }, (_, rank) => rank),
): string {
  const folder = realpathSync(dir);
  const flags = ['--disable-warning=ExperimentalWarning'];
  return batchScript(
    {
      name,
      log: join(logFolder(folder), 'rank-%4a.log'),
      array: ranks,
      command: [process.execPath, ...flags, TASK_MAIN, folder, String(world)],
    },
    config,
  );
}

/** The same for the same folder, so that a job is found again without a note of it. */
export function jobName(what: string, dir: string): string {
  const path = existsSync(dir) ? realpathSync(dir) : resolve(dir);
  return `${JOB_PREFIX}${what}-${sha256Hex(path).slice(0, 10)}`;
}
