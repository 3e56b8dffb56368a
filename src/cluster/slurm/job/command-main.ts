// The batch process of a command job: `node command-main.ts JOB.json`. Runs the command, or starts its
// ranks over the nodes; told to stop before the time limit, it lets them save and requeues the job.
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from '../../../core/files.ts';
import { log } from '../../../core/log.ts';
import { hostNames, requeue } from '../queue.ts';
import { STOP_SIGNAL } from '../script.ts';
import { clearEnds, type JobCommand, jobCommandSchema, rankEnds, writeEnd } from './job-folder.ts';
import { IN_JOB } from './rank.ts';
import {
  type ChildEnd,
  hasStopped,
  NODE_FLAGS,
  reasonOf,
  runChild,
  runCommand,
} from './run-child.ts';

/** Exit code of a rank whose only fault is that another is gone. */
const CODE_OF_PARALLEL = 7;
const RANK_MAIN = fileURLToPath(new URL('./rank-main.ts', import.meta.url));

const [file = ''] = process.argv.slice(2);
const dir = dirname(file);
const command = readJson(file, jobCommandSchema);
clearEnds(dir);
let isTold = false;
const onSignal = (signal: NodeJS.Signals): void => {
  isTold ||= signal === STOP_SIGNAL;
  log.info(`${signal}: ${command.what} saves and stops`);
};
const end = await (command.ranks === undefined ? runHere(command) : runRanks(file));
const ranks = rankEnds(dir);
const isStop = isTold && (hasStopped(end) || ranks.some((rank) => rank.isStop));
if (isStop && process.env['SLURM_JOB_ID'] !== undefined) {
  log.info('stopped in good order before the time limit; back into the queue');
  await requeue(process.env['SLURM_JOB_ID'], log);
} else {
  const code = end.code ?? 1;
  const message = code === 0 ? '' : failure(end);
  await writeEnd(dir, { code, message });
  if (message !== '') log.error(message);
  process.exitCode = code;
}

function runHere({ argv }: JobCommand): Promise<ChildEnd> {
  return runCommand(argv, {
    env: { ...process.env, [IN_JOB]: '1' },
    onSignal,
  });
}

/** All ranks under one `srun`: when one fails it ends the others. */
async function runRanks(jobFile: string): Promise<ChildEnd> {
  const { SLURM_JOB_NODELIST: nodes = hostname() } = process.env;
  const [first = hostname()] = await hostNames(nodes, log);
  const args = [
    '--kill-on-bad-exit=1',
    '--wait=60',
    process.execPath,
    ...NODE_FLAGS,
    RANK_MAIN,
    jobFile,
  ];
  const master = { MASTER_ADDR: first, MASTER_PORT: String(await freePort()) };
  return runChild('srun', args, {
    env: { ...process.env, ...master },
    onSignal,
  });
}

/** This process runs on the first node, where rank 0 will listen. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 29_500;
}

/** The rank that failed first, not those that were ended for it or lost it. */
function failure(ended: ChildEnd): string {
  const ends = rankEnds(dir);
  const first = ends.find(({ code }) => code !== CODE_OF_PARALLEL) ?? ends[0];
  return first === undefined
    ? reasonOf(ended)
    : `rank ${first.rank} failed first: ${first.message}`;
}
