// Loaded before a command that runs in a job: Slurm's signal to stop comes to every process of a rank, and
// means there what Ctrl-C means on a terminal: finish the step, save, exit code 130.
import { STOP_SIGNAL } from '../script.ts';

let isTold = false;
process.on(STOP_SIGNAL, () => {
  if (isTold) return; // once from Slurm, once from the process above
  isTold = true;
  if (!process.emit('SIGINT', 'SIGINT')) process.exit(130);
});
