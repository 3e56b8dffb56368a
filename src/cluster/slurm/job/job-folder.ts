// The folder of a command job: the command, the script, the log and how it ended.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { ensureFolder, readJson, writeFileAtomic } from '../../../core/files.ts';

/** Processes of a training job. */
export interface Ranks {
  readonly nodes: number;
  readonly perNode: number;
}

/** What job.json holds. */
export interface JobCommand {
  readonly what: string;
  /** Arguments of Node: script and what follows. */
  readonly argv: readonly string[];
  readonly ranks?: Ranks | undefined;
}

/** How a job ended; absent while it is under way. */
export interface JobEnd {
  readonly code: number;
  /** Why, when it failed. */
  readonly message: string;
}

/** What one rank leaves behind. */
interface RankEnd {
  readonly rank: number;
  readonly code: number | null;
  /** When, in milliseconds since 1970: the first to fail is the reason. */
  readonly timeMs: number;
  /** It saved and stopped because it was told to. */
  readonly isStop: boolean;
  readonly message: string;
}

export const JOB_FILE = 'job.json';
export const JOB_SCRIPT = 'job.sh';
export const JOB_LOG = 'job.log';
export const JOB_END = 'end.json';
const RANK_ENDS = 'ranks';

export const jobCommandSchema: z.ZodType<JobCommand> = z.strictObject({
  what: z.string(),
  argv: z.array(z.string()),
  ranks: z.strictObject({ nodes: z.int().positive(), perNode: z.int().positive() }).optional(),
});
const endSchema: z.ZodType<JobEnd> = z.strictObject({ code: z.int(), message: z.string() });
const rankEndSchema: z.ZodType<RankEnd> = z.strictObject({
  rank: z.int(),
  code: z.int().nullable(),
  timeMs: z.number(),
  isStop: z.boolean(),
  message: z.string(),
});

export function readEnd(dir: string): JobEnd | undefined {
  const path = join(dir, JOB_END);
  return existsSync(path) ? readJson(path, endSchema) : undefined;
}

export async function writeEnd(dir: string, end: JobEnd): Promise<void> {
  await writeFileAtomic(join(dir, JOB_END), JSON.stringify(end));
}

export async function writeRankEnd(dir: string, end: RankEnd): Promise<void> {
  ensureFolder(join(dir, RANK_ENDS));
  await writeFileAtomic(join(dir, RANK_ENDS, `${end.rank}.json`), JSON.stringify(end));
}

/** What ranks left behind, the first one first. */
export function rankEnds(dir: string): RankEnd[] {
  const folder = join(dir, RANK_ENDS);
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => /^\d+\.json$/.test(name))
    : [];
  const ends = names.map((name) => readJson(join(folder, name), rankEndSchema));
  return ends.sort((a, b) => a.timeMs - b.timeMs);
}

/** Before a job starts, or starts again. */
export function clearEnds(dir: string): void {
  rmSync(join(dir, RANK_ENDS), { recursive: true, force: true });
  rmSync(join(dir, JOB_END), { force: true });
}
