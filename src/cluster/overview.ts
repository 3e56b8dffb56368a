// What is under way and what failed: pieces of work and jobs in folders, beside what Slurm has queued.
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { readJson } from '../core/files.ts';
import { openMarkers } from './markers.ts';
import { ARRAY_FILE, jobName } from './slurm/array-cluster.ts';
import { errorLine } from './slurm/job/error-line.ts';
import { JOB_FILE, JOB_LOG, jobCommandSchema, readEnd } from './slurm/job/job-folder.ts';
import type { QueuedJob } from './slurm/queue.ts';
import { logFile, shardsOfRank, TASK_FILE, taskFile, taskSpecSchema } from './task.ts';

/** Jobs of one name in the queue. */
export interface Queued {
  /** Numbers of the jobs, without those of array tasks. */
  readonly ids: readonly string[];
  /** State → number of jobs or tasks: RUNNING, PENDING, … */
  readonly states: Readonly<Record<string, number>>;
  /** Why those that wait do. */
  readonly reasons: readonly string[];
}

export interface Trouble {
  /** A shard, or a rank that ended without a word. */
  readonly where: string;
  /** The last line of the error. */
  readonly message: string;
}

/** A piece of work over shards. */
export interface WorkState {
  readonly kind: 'shards';
  readonly name: string;
  readonly folder: string;
  readonly queued: Queued | undefined;
  readonly shards: number;
  readonly done: number;
  /** Mean time of a shard. */
  readonly secondsPerShard: number | undefined;
  readonly failures: readonly Trouble[];
}

/** A command as a job. */
export interface JobState {
  readonly kind: 'command';
  readonly name: string;
  readonly folder: string;
  readonly queued: Queued | undefined;
  /** Exit code; undefined while it has none. */
  readonly code: number | undefined;
  /** What it printed last. */
  readonly lastLine: string;
  readonly failures: readonly Trouble[];
}

const arraySchema = z.object({ id: z.string(), world: z.int().positive() });
/** Folders that hold many files and no work. */
const NEVER = new Set(['checkpoints', 'node_modules', 'samples', 'done', 'failed', 'logs']);
const LOG_END = 16_384;

/** States of what lies in the folders or is in the queue, by folder. */
export function overview(
  folders: readonly string[],
  queue: readonly QueuedJob[],
): (WorkState | JobState)[] {
  const found = new Set(folders.flatMap((folder) => [...workFolders(resolve(folder))]));
  for (const { script } of queue) {
    const folder = dirname(script);
    if (existsSync(join(folder, TASK_FILE)) || existsSync(join(folder, JOB_FILE))) {
      found.add(realpathSync(folder));
    }
  }
  return [...found]
    .sort()
    .map((folder) =>
      existsSync(taskFile(folder)) ? workState(folder, queue) : jobState(folder, queue),
    );
}

/** Folders below with a task or a job in them. */
function* workFolders(folder: string): Generator<string> {
  if (!existsSync(folder)) return;
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name === TASK_FILE || name === JOB_FILE)) {
    yield realpathSync(folder);
    return;
  }
  for (const entry of entries) {
    if (entry.isDirectory() && !NEVER.has(entry.name)) yield* workFolders(join(folder, entry.name));
  }
}

function workState(folder: string, queue: readonly QueuedJob[]): WorkState {
  const spec = readJson(taskFile(folder), taskSpecSchema);
  const markers = openMarkers(folder);
  const queued = queuedAs(jobName(spec.name, folder), queue);
  const failures = markers.failures().map(({ shard, rank, message }) => ({
    where: `${shard} (rank ${rank})`,
    message: errorLine(message),
  }));
  const left = queued === undefined ? markers.untreated(spec.shards) : [];
  return {
    kind: 'shards',
    name: spec.name,
    folder,
    queued,
    shards: spec.shards.length,
    done: markers.numDone(),
    secondsPerShard: markers.secondsPerShard(),
    failures: [...failures, ...deadRanks(folder, spec.shards, new Set(left))],
  };
}

/** Ranks of an array job that is over, with shards that nobody treated. */
function deadRanks(
  folder: string,
  shards: readonly string[],
  left: ReadonlySet<string>,
): readonly Trouble[] {
  const path = join(folder, ARRAY_FILE);
  if (left.size === 0 || !existsSync(path)) return [];
  const { world } = readJson(path, arraySchema);
  return Array.from({ length: world }, (_, rank) => rank)
    .filter((rank) => shardsOfRank(shards, rank, world).some((shard) => left.has(shard)))
    .map((rank) => ({
      where: `rank ${rank}`,
      message: errorLine(endOf(logFile(folder, rank))) || 'ended without a word',
    }));
}

function jobState(folder: string, queue: readonly QueuedJob[]): JobState {
  const { what } = readJson(join(folder, JOB_FILE), jobCommandSchema);
  const queued = queuedAs(jobName(what, folder), queue);
  const end = readEnd(folder);
  const printed = endOf(join(folder, JOB_LOG));
  const lastLine = printed.trimEnd().split('\n').at(-1) ?? '';
  const isLost = end === undefined && queued === undefined;
  const message = isLost ? errorLine(printed) || 'ended without a word' : (end?.message ?? '');
  return {
    kind: 'command',
    name: what,
    folder,
    queued,
    code: end?.code,
    lastLine,
    failures: message === '' ? [] : [{ where: basename(folder), message }],
  };
}

function queuedAs(name: string, queue: readonly QueuedJob[]): Queued | undefined {
  const jobs = queue.filter((job) => job.name === name);
  if (jobs.length === 0) return undefined;
  const states: Record<string, number> = {};
  for (const { state } of jobs) states[state] = (states[state] ?? 0) + 1;
  const waiting = jobs.filter(({ state }) => state === 'PENDING').map(({ reason }) => reason);
  return {
    ids: [...new Set(jobs.map(({ id }) => id.split('_')[0] ?? id))],
    states,
    reasons: [...new Set(waiting)],
  };
}

function endOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').slice(-LOG_END) : '';
}
