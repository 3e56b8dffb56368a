// A whole command of ours as one Slurm job: submitting it and following it. Found again by name, so
// that it is never submitted twice.
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OneVisionError } from '../../../core/errors.ts';
import { ensureFolder, writeFileAtomic } from '../../../core/files.ts';
import type { Logger } from '../../../core/log.ts';
import { jobName } from '../array-cluster.ts';
import type { SlurmConfig } from '../config.ts';
import { DryRun } from '../dry-run.ts';
import { queuedJobs, submit } from '../queue.ts';
import { batchScript } from '../script.ts';
import { JOB_END, JOB_FILE, JOB_LOG, JOB_SCRIPT, type JobCommand, readEnd } from './job-folder.ts';

const COMMAND_MAIN = fileURLToPath(new URL('./command-main.ts', import.meta.url));
const POLL_MS = { first: 250, last: 2000 };

export interface SubmitOptions {
  /** Folder of the job; created. */
  readonly dir: string;
  readonly config: SlurmConfig;
  /** Numbers of jobs that have to end well before. */
  readonly after?: readonly string[];
  readonly dryRun?: boolean;
  readonly log: Logger;
}

/**
 * Submits the command, unless it is in the queue already.
 * @returns the number of the job
 * @throws DryRun with the script when that was asked for; OneVisionError 'usage' as Slurm refuses.
 */
export async function submitCommand(command: JobCommand, options: SubmitOptions): Promise<string> {
  const { config, after = [], dryRun = false, log } = options;
  const dir = resolve(options.dir);
  const name = jobName(command.what, dir);
  const script = batchScript(
    {
      name,
      log: join(dir, JOB_LOG),
      ranks: command.ranks,
      after,
      command: [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        COMMAND_MAIN,
        join(dir, JOB_FILE),
      ],
    },
    config,
  );
  if (dryRun) throw new DryRun(script);
  ensureFolder(dir);
  const [known] = await queuedJobs(log, name);
  const text = `${JSON.stringify(command, null, 2)}\n`;
  if (known !== undefined) {
    checkSame(known.id, dir, text);
    log.info(`${command.what}: job ${known.id} is in the queue already`);
    return known.id;
  }
  rmSync(join(dir, JOB_END), { force: true });
  const old = join(dir, JOB_LOG);
  if (existsSync(old)) renameSync(old, `${old}.previous`);
  await writeFileAtomic(join(dir, JOB_FILE), text);
  await writeFileAtomic(join(dir, JOB_SCRIPT), script);
  const id = await submit(join(dir, JOB_SCRIPT), name, log);
  log.info(`${command.what}: Slurm job ${id}; its output is in ${join(dir, JOB_LOG)}`);
  return id;
}

/** The job in the queue has to be the one that was asked for. */
function checkSame(id: string, dir: string, text: string): void {
  const path = join(dir, JOB_FILE);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  throw new OneVisionError(
    'usage',
    `expected no other job of ${dir} in the queue, came job ${id} with other arguments`,
    { hint: `wait for it, end it with: scancel ${id}, or choose another run or output folder` },
  );
}

/**
 * Waits for the end of a job and hands on what it prints meanwhile.
 * @throws OneVisionError 'data' with the last line of the error when it failed.
 */
export async function followCommand(
  command: JobCommand,
  { dir, log, print }: Pick<SubmitOptions, 'dir' | 'log'> & { print(text: string): void },
): Promise<void> {
  const name = jobName(command.what, dir);
  const tail = createTail(join(dir, JOB_LOG));
  for (let waitMs = POLL_MS.first; ; waitMs = Math.min(waitMs * 1.3, POLL_MS.last)) {
    // One that was preempted leaves a bad end and is in the queue all the same.
    const isOver = readEnd(dir)?.code === 0 || (await queuedJobs(log, name)).length === 0;
    print(tail());
    if (isOver) break;
    await sleep(waitMs);
  }
  const end = readEnd(dir) ?? {
    code: 1,
    message: 'it was cancelled, or killed before it said why',
  };
  if (end.code === 0) return;
  throw new OneVisionError('data', `the job ${command.what} failed: ${end.message}`, {
    hint: `its output is in ${join(dir, JOB_LOG)}`,
  });
}

/** What was appended to a file since it was asked last. */
function createTail(path: string): () => string {
  let at = 0;
  return () => {
    if (!existsSync(path)) return '';
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - at));
      const read = readSync(file, bytes, 0, bytes.length, at);
      at += read;
      return bytes.toString('utf8', 0, read);
    } finally {
      closeSync(file);
    }
  };
}
