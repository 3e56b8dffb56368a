// One rank of a command job, started by `srun`: `node rank-main.ts JOB.json`. Sets the variables that
// torchrun sets, runs the command, and leaves behind why it failed.
import { dirname } from 'node:path';
import { readJson } from '../../../core/files.ts';
import { STOP_SIGNAL } from '../script.ts';
import { jobCommandSchema, writeRankEnd } from './job-folder.ts';
import { IN_JOB, rankVariables } from './rank.ts';
import { hasStopped, reasonOf, runCommand } from './run-child.ts';

const [file = ''] = process.argv.slice(2);
const { argv } = readJson(file, jobCommandSchema);
const variables = rankVariables(process.env);
if (variables === undefined) {
  process.stderr.write('usage: rank-main.ts JOB.json, started by srun\n');
  process.exit(2);
}
let isTold = false;
const end = await runCommand(argv, {
  env: { ...process.env, ...variables, [IN_JOB]: '1' },
  onSignal: (signal) => {
    isTold ||= signal === STOP_SIGNAL;
  },
});
const isStop = isTold && hasStopped(end);
if (end.code !== 0) {
  const message = isStop ? '' : reasonOf(end);
  const rank = Number(variables.RANK);
  await writeRankEnd(dirname(file), { rank, code: end.code, timeMs: Date.now(), isStop, message });
}
// One that stopped in good order must not look like a failure: srun would kill those that still save.
process.exit(end.code === 0 || isStop ? 0 : (end.code ?? 1));
