// Where this process stands among those that train together, as torchrun or Slurm says it in the
// environment. Opens nothing.

import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';

/** One process among `size`. */
export interface Place {
  readonly rank: number;
  readonly size: number;
  /** Its number on its own machine, and how many are there. */
  readonly localRank: number;
  readonly localSize: number;
  /** Where rank 0 listens. */
  readonly host: string;
  readonly port: number;
}

export const ALONE: Place = {
  rank: 0,
  size: 1,
  localRank: 0,
  localSize: 1,
  host: '127.0.0.1',
  port: 0,
};

const DEFAULT_PORT = 29_500;
const count: z.ZodType<number, unknown> = z.coerce.number().pipe(z.int().nonnegative());
const port: z.ZodType<number, unknown> = z.coerce.number().pipe(z.int().min(1).max(65_535));

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT; where there is no RANK, what
 * `srun` gives each task; else this process is alone.
 * @throws OneVisionError 'usage' for values that cannot be.
 */
export function placeOf(environment: Environment): Place {
  if (environment['RANK'] !== undefined) return fromTorchrun(environment);
  // SLURM_STEP_NUM_TASKS is there for tasks of srun only, not for the script of a job.
  if (environment['SLURM_STEP_NUM_TASKS'] !== undefined) return fromSlurm(environment);
  return ALONE;
}

function fromTorchrun(environment: Environment): Place {
  return checked({
    rank: read(environment, 'RANK', count),
    size: read(environment, 'WORLD_SIZE', count),
    localRank: read(environment, 'LOCAL_RANK', count, environment['RANK']),
    localSize: read(environment, 'LOCAL_WORLD_SIZE', count, environment['WORLD_SIZE']),
    host: read(environment, 'MASTER_ADDR', z.string().min(1), '127.0.0.1'),
    port: read(environment, 'MASTER_PORT', port, String(DEFAULT_PORT)),
  });
}

function fromSlurm(environment: Environment): Place {
  const nodes = environment['SLURM_STEP_NODELIST'] ?? environment['SLURM_JOB_NODELIST'];
  const job = read(environment, 'SLURM_JOB_ID', count, '0');
  const perNode = (environment['SLURM_STEP_TASKS_PER_NODE'] ?? '').replace(/\D.*$/, '');
  return checked({
    rank: read(environment, 'SLURM_PROCID', count),
    size: read(environment, 'SLURM_STEP_NUM_TASKS', count),
    localRank: read(environment, 'SLURM_LOCALID', count, environment['SLURM_PROCID']),
    localSize: perNode === '' ? read(environment, 'SLURM_STEP_NUM_TASKS', count) : Number(perNode),
    host: environment['MASTER_ADDR'] ?? firstHost(nodes ?? '127.0.0.1'),
    // Jobs that share a machine take different ports.
    port: read(environment, 'MASTER_PORT', port, String(DEFAULT_PORT + (job % 10_000))),
  });
}

/** The first host of Slurm's short form: `gpu[07-12,20],login1` → `gpu07`. */
export function firstHost(nodes: string): string {
  const match = /^([^[,]*)(?:\[(\d+)[^\]]*\]([^,]*))?/.exec(nodes);
  return `${match?.[1] ?? ''}${match?.[2] ?? ''}${match?.[3] ?? ''}`;
}

function read<T>(
  environment: Environment,
  name: string,
  schema: z.ZodType<T>,
  fallback?: string,
): T {
  const given = environment[name] ?? fallback;
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new OneVisionError(
    'usage',
    `expected the environment to say ${name} of this rank, came ${given ?? 'nothing'}`,
    { hint: 'start ranks with --launch local:N, torchrun or srun: they set RANK, WORLD_SIZE, …' },
  );
}

function checked(place: Place): Place {
  const { rank, size, localRank, localSize } = place;
  if (size >= 1 && rank < size && localRank < Math.max(localSize, 1)) return place;
  throw new OneVisionError(
    'usage',
    `expected a rank below the number of ranks, came ${rank} of ${size} ` +
      `(${localRank} of ${localSize} on this machine)`,
    { hint: 'RANK counts from 0 to WORLD_SIZE − 1, LOCAL_RANK within one machine' },
  );
}
