// The command of one task of an array job: `node array-main.ts FOLDER WORLD`. Told to stop, it
// finishes its shard; what is left is done when Slurm starts it again.
import { log } from '../../core/log.ts';
import { runRank } from '../run-task.ts';
import { requeue } from './queue.ts';
import { STOP_SIGNAL } from './script.ts';

const [dir, world] = process.argv.slice(2);
const { SLURM_ARRAY_TASK_ID: rank, SLURM_JOB_ID: job } = process.env;
if (dir === undefined || !/^\d+$/.test(world ?? '') || !/^\d+$/.test(rank ?? '')) {
  process.stderr.write('usage: array-main.ts FOLDER WORLD, as a task of a Slurm array job\n');
  process.exit(2);
}
let told: NodeJS.Signals | undefined;
const note = (signal: NodeJS.Signals): void => {
  log.info(`${signal}: stopping after this shard`);
  told ??= signal;
};
process.on(STOP_SIGNAL, note);
process.on('SIGTERM', note);
const { done, failed, left } = await runRank(dir, {
  rank: Number(rank),
  world: Number(world),
  log,
  isStopping: () => told !== undefined,
});
process.exitCode = failed > 0 || left > 0 ? 1 : 0;
// SIGTERM comes with an end that is wanted (scancel) or with a requeue of Slurm's own (preemption).
if (left > 0 && told === STOP_SIGNAL && job !== undefined) {
  if (done > 0) await requeue(job, log);
  else log.error('the time limit is over before one shard is done: ask for more with --time');
}
