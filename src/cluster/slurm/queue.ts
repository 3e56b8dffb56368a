// Talks to Slurm through its own commands. A controller that does not answer is waited for: jobs go
// on without it.
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { OneVisionError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

/** A job, or one task of an array job, that has not ended. */
export interface QueuedJob {
  /** `12`, or `12_3` for a task of an array. */
  readonly id: string;
  readonly name: string;
  /** PENDING, RUNNING, COMPLETING, … */
  readonly state: string;
  /** Why it waits, in Slurm's words. */
  readonly reason: string;
  /** The batch script. */
  readonly script: string;
}

const UNREACHABLE =
  /unable to contact|connect failure|connection refused|timed out|zero bytes|try again|not responding|backup controller/i;
const PATIENCE_MS = 15 * 60_000;
const FORMAT = ['%i', '%j', '%T', '%r', '%o'].join('\t');
const MAX_OUTPUT = 256 * 1024 * 1024;

/**
 * Runs one of Slurm's commands and returns what it prints.
 * @throws OneVisionError 'usage' when Slurm refuses or is not here, 'interrupted' when it does not
 * answer for a quarter of an hour.
 */
async function call(command: string, args: readonly string[], log: Logger): Promise<string> {
  const end = performance.now() + PATIENCE_MS;
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, 15_000)) {
    try {
      const options = { maxBuffer: MAX_OUTPUT };
      return (await promisify(execFile)(command, args, options)).stdout;
    } catch (error) {
      const text = messageOf(error);
      if (!UNREACHABLE.test(text)) throw refusal(command, error, text);
      if (performance.now() > end) {
        throw new OneVisionError('interrupted', `expected an answer of Slurm, came: ${text}`, {
          hint: 'jobs that run go on; run the same command again when Slurm is back',
        });
      }
      if (waitMs === 500) log.warn(`Slurm does not answer, asking again: ${text}`);
      // A submission may have come through all the same: its caller looks into the queue first.
      if (command === 'sbatch') throw new Unanswered();
      await sleep(waitMs);
    }
  }
}

class Unanswered extends Error {}

function refusal(command: string, error: unknown, text: string): OneVisionError {
  const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  if (isAbsent) {
    return new OneVisionError('usage', `expected Slurm here, came no command ${command}`, {
      hint: 'run it on a machine of the cluster, or leave out --cluster slurm',
    });
  }
  return new OneVisionError('usage', `${command} refused: ${text}`, {
    hint: 'correct partition, account, time, cpus, mem, gpus or tasks; --dry-run prints the script',
  });
}

function messageOf(error: unknown): string {
  const text =
    error instanceof Error && 'stderr' in error && error.stderr !== ''
      ? String(error.stderr)
      : String(error instanceof Error ? error.message : error);
  return text.trim().replaceAll(/\s*\n\s*/g, '; ');
}

/** This user's jobs that have not ended, those of the name alone where one is given. */
export async function queuedJobs(log: Logger, name?: string): Promise<QueuedJob[]> {
  const args = ['--me', '--noheader', '--array', `--format=${FORMAT}`];
  const text = await call('squeue', name === undefined ? args : [...args, `--name=${name}`], log);
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [id = '', job = '', state = '', reason = '', script = ''] = line.split('\t');
      return { id, name: job, state, reason, script };
    });
}

/**
 * Submits a script, once: after a controller that did not answer, a job of that name in the queue is
 * taken for the one submitted.
 * @returns the number of the job
 */
export async function submit(script: string, name: string, log: Logger): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const printed = await call('sbatch', ['--parsable', script], log);
      return printed.trim().split(';')[0] ?? '';
    } catch (error) {
      if (!(error instanceof Unanswered) || attempt > 20) throw error;
      const [known] = await queuedJobs(log, name);
      if (known !== undefined) return known.id.split('_')[0] ?? '';
    }
  }
}

/** Puts a job back into the queue; ends this process if it is its own. */
export async function requeue(id: string, log: Logger): Promise<void> {
  await call('scontrol', ['requeue', id], log);
}

/** The machines of a list as Slurm shortens it: node[1-3]. */
export async function hostNames(list: string, log: Logger): Promise<string[]> {
  return (await call('scontrol', ['show', 'hostnames', list], log)).trim().split('\n');
}
