// `onevision jobs`: what is queued, how far it is, and what failed, with the last error line of each.
import { Command } from 'commander';
import type { JobState, Queued, WorkState } from '../../cluster/overview.ts';
import type { QueuedJob } from '../../cluster/slurm/queue.ts';
import { OneVisionError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { formatDuration } from '../../core/progress.ts';

const NUM_FAILURES = 10;

export function jobsCommand(): Command {
  return new Command('jobs')
    .description('queue, progress and failures of work on a cluster or here')
    .argument('[folders...]', 'where to look beside the queue', ['runs'])
    .option('--json', 'print JSON')
    .action(async (folders: string[], options: { json?: boolean }) => {
      const { overview } = await import('../../cluster/overview.ts');
      const queue = await queueOrNone();
      const states = overview(folders, queue ?? []);
      if (options.json) {
        console.log(JSON.stringify({ slurm: queue !== undefined, jobs: states }));
        return;
      }
      if (queue === undefined) console.log('no Slurm here; from the folders alone:');
      if (states.length === 0) console.log(`nothing under way in ${folders.join(', ')}`);
      for (const state of states) for (const line of lines(state)) console.log(line);
    });
}

/** This user's jobs, or undefined where there is no Slurm. */
async function queueOrNone(): Promise<QueuedJob[] | undefined> {
  const { queuedJobs } = await import('../../cluster/slurm/queue.ts');
  try {
    return await queuedJobs(log);
  } catch (error) {
    if (error instanceof OneVisionError && error.code === 'usage') return undefined;
    throw error;
  }
}

function* lines(state: WorkState | JobState): Generator<string> {
  const { name, folder, queued, failures } = state;
  yield [name.padEnd(10), ...(state.kind === 'shards' ? progress(state) : result(state))].join(' ');
  yield `  ${queued === undefined ? 'not in the queue' : describe(queued)}; ${folder}`;
  for (const { where, message } of failures.slice(0, NUM_FAILURES)) {
    yield `  ${where}: ${message}`;
  }
  const numMore = failures.length - NUM_FAILURES;
  if (numMore > 0) yield `  and ${numMore} more; --json lists all`;
}

function* progress({ shards, done, failures, secondsPerShard }: WorkState): Generator<string> {
  yield `${done}/${shards} shards`;
  if (failures.length > 0) yield `${failures.length} failed`;
  if (secondsPerShard !== undefined) yield `${formatDuration(secondsPerShard)} each`;
}

function* result({ code, lastLine, failures }: JobState): Generator<string> {
  if (code === undefined && failures.length > 0) yield 'gone';
  else if (code === undefined) yield `under way: ${lastLine}`;
  else yield code === 0 ? 'done' : `failed with exit code ${code}`;
}

function describe({ ids, states, reasons }: Queued): string {
  const counts = Object.entries(states).map(([state, count]) => `${count} ${state.toLowerCase()}`);
  const why = reasons.filter((reason) => reason !== 'None');
  const waits = why.length === 0 ? '' : ` (${why.join(', ')})`;
  return `job ${ids.join(', ')}: ${counts.join(', ')}${waits}`;
}
