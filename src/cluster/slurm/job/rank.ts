// Who a process is among those of a training job, in the variables that torchrun sets.

/** Variables of one process. @see https://pytorch.org/docs/stable/elastic/run.html */
export interface RankVariables {
  readonly RANK: string;
  readonly WORLD_SIZE: string;
  readonly LOCAL_RANK: string;
  readonly LOCAL_WORLD_SIZE: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** From what `srun` sets; undefined outside of it. */
export function rankVariables(env: Environment): RankVariables | undefined {
  const { SLURM_PROCID: rank, SLURM_NTASKS: world, SLURM_LOCALID: local } = env;
  if (rank === undefined || world === undefined || local === undefined) return undefined;
  // SLURM_TASKS_PER_NODE is `2`, `2(x4)` or `2(x3),1`; our jobs have as many on every node.
  const perNode = /^\d+/.exec(env['SLURM_TASKS_PER_NODE'] ?? '')?.[0] ?? world;
  return { RANK: rank, WORLD_SIZE: world, LOCAL_RANK: local, LOCAL_WORLD_SIZE: perNode };
}

/** Set in every process of a job: its command line is already where it was to be sent. */
export const IN_JOB = 'ONEVISION_JOB';
